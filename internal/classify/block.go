package classify

import "math/bits"

// A block is an aligned range of 1<<size values, and a posting for them. Two blocks are
// either disjoint or nested, like address prefixes.
type block struct {
	lo   uint32
	size uint8
	posting
}

func (b block) hi() uint32 { return b.lo + uint32(1<<b.size-1) }

// appendBlocks divides an interval into blocks.
func appendBlocks(blocks []block, lo, hi uint32, p posting) []block {
	for {
		size := min(bits.TrailingZeros32(lo), bits.Len64(uint64(hi)-uint64(lo)+1)-1)
		blocks = append(grow(blocks, 1), block{lo, uint8(size), p})
		next := uint64(lo) + 1<<size
		if next > uint64(hi) {
			return blocks
		}
		lo = uint32(next)
	}
}

func countBlocks(intervals []predicate) int {
	n := 0
	var room [64]block
	for _, p := range intervals {
		n += len(appendBlocks(room[:0], p.lo, p.hi, posting{}))
	}
	return n
}
