package chain

import (
	"sync/atomic"

	"gomapi/internal/pkt"
)

// A batch is the packets under way, contiguous in memory. Loop and segments select the
// packets of each chain from it. The zero value is ready to use.
type batch struct {
	first  *pkt.Packet
	ptrs   []*pkt.Packet // pointers to the packets
	Newest uint64        // largest time stamp so far
	Spared atomic.Uint64 // packets times functions that need not see them, thanks to sharing
}

// Begin makes pkts the packets under way, returns their addresses and updates Newest.
// Drivers use one array for all batches, so most calls reuse the addresses.
func (b *batch) Begin(pkts []pkt.Packet) []*pkt.Packet {
	if len(pkts) == 0 {
		return nil
	}
	if b.first != &pkts[0] || len(b.ptrs) < len(pkts) {
		b.first, b.ptrs = &pkts[0], b.ptrs[:0]
		for i := range pkts {
			b.ptrs = append(b.ptrs, &pkts[i])
		}
	}
	for i := range pkts { // not always in order
		b.Newest = max(b.Newest, pkts[i].TS)
	}
	return b.ptrs[:len(pkts)]
}

// First returns the first packet of the batch, as a list.
func (b *batch) First() []*pkt.Packet { return b.ptrs[:1] }

// Index returns the position of p in the batch.
func (b *batch) Index(p *pkt.Packet) int { return pkt.Index(b.first, p) }

// Of appends the packets of the batch that are in set to list.
func (b *batch) Of(set *pkt.Set, list []*pkt.Packet) []*pkt.Packet { return set.Of(b.ptrs, list) }
