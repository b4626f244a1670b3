package chain

import "gomapi/internal/pkt"

// A Lockstep has the packets of a batch that are set aside for a chain with functions
// which refer to others, or to which others refer. Such chains go packet by packet, each
// packet through all of them in the order of their creation, so that a function sees what
// the one that it refers to has made of the packets up to this one.
type Lockstep struct{ packets pkt.Set }

// mark sets packets of the batch aside.
func (l *Lockstep) mark(b *Batch, in []*pkt.Packet) {
	for _, p := range in {
		l.packets.Add(b.Index(p))
	}
}

// Has reports whether packet i of the batch is for the chain.
func (l *Lockstep) Has(i int) bool { return l.packets.Has(i) }

// Clear forgets the packets.
func (l *Lockstep) Clear() { l.packets = pkt.Set{} }
