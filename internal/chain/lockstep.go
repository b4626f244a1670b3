package chain

import "gomapi/internal/pkt"

// A Lockstep holds the packets of a batch that are set aside for one chain in lockstep: its
// functions refer to others, or others refer to them. Each packet goes through all such
// chains, in the order of their creation, before the next packet. So a function reads a
// result that covers the packets up to the current one.
type Lockstep struct{ packets pkt.Set }

// mark sets packets of the batch aside.
func (l *Lockstep) mark(b *batch, in []*pkt.Packet) {
	for _, p := range in {
		l.packets.Add(b.Index(p))
	}
}

// Has reports whether packet i of the batch is set aside for the chain.
func (l *Lockstep) Has(i int) bool { return l.packets.Has(i) }

// Empty reports whether no packet is set aside.
func (l *Lockstep) Empty() bool { return l.packets == pkt.Set{} }

// Clear forgets the packets.
func (l *Lockstep) Clear() { l.packets = pkt.Set{} }
