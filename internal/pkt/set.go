package pkt

import "math/bits"

// MaxBatch is the maximum number of packets in a batch.
const MaxBatch = 256

// A Set is a set of packets of a batch, given by their indexes.
type Set [MaxBatch / 64]uint64

// Add adds packet i.
func (s *Set) Add(i int) { s[i/64] |= 1 << (i % 64) }

// Has reports whether packet i is in the set.
func (s *Set) Has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }

// Of appends the packets of the batch that are in the set to list, in order.
func (s *Set) Of(batch, list []*Packet) []*Packet {
	for w, set := range s {
		for ; set != 0; set &= set - 1 {
			list = append(list, batch[w*64+bits.TrailingZeros64(set)])
		}
	}
	return list
}
