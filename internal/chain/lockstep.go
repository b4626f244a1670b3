package chain

import "gomapi/internal/pkt"

// A Lockstep is a chain that has functions which refer to others, or to which others
// refer. Such chains go packet by packet, each packet through all of them in the order of
// their creation, so that a function sees what the one that it refers to has made of the
// packets up to this one. The packets of a batch are set aside first.
type Lockstep struct {
	*Chain
	hits pkt.Set // packets of the batch that are for it
}

// mark sets packets of the batch aside.
func (l *Lockstep) mark(b *Batch, in []*pkt.Packet) {
	for _, p := range in {
		l.hits.Add(b.Index(p))
	}
}

// Has reports whether packet i of the batch is for the chain.
func (l *Lockstep) Has(i int) bool { return l.hits.Has(i) }

// Clear forgets the packets.
func (l *Lockstep) Clear() { l.hits = pkt.Set{} }
