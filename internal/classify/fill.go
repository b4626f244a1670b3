package classify

import (
	"cmp"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// An area is a block with its list.
type area struct {
	lo, hi uint32
	head   uint32 // its list
}

// fill fills the index with blocks and adds its lists.
func (x *index) fill(blocks []block, all *postingLists) {
	slices.SortFunc(blocks, func(a, b block) int {
		return cmp.Or(cmp.Compare(a.lo, b.lo), -cmp.Compare(a.size, b.size))
	})
	var areas, around []area
	for i := 0; i < len(blocks); {
		b, from := blocks[i], i
		for ; i < len(blocks) && blocks[i].lo == b.lo && blocks[i].size == b.size; i++ {
		}
		for len(around) > 0 && around[len(around)-1].hi < b.lo {
			around = around[:len(around)-1]
		}
		outer := uint32(0)
		if len(around) > 0 {
			outer = around[len(around)-1].head
		}
		a := area{b.lo, b.hi(), all.add(blocks[from:i], outer)}
		areas, around = append(grow(areas, 1), a), append(around, a)
	}
	x.place(areas)
}

// denseShare limits how sparse the values of a dense table may be.
const denseShare = 16

// place makes the tables that lead to the areas. The areas are in ascending order, outer
// before inner.
func (x *index) place(areas []area) {
	if len(areas) == 0 {
		return
	}
	first, last := areas[0].lo, uint32(0)
	for _, a := range areas {
		last = max(last, a.hi)
	}
	span := uint64(last) - uint64(first) + 1
	if span <= 1<<16 && span <= uint64(len(areas))*denseShare {
		x.first, x.dense = first, make([]uint32, span)
		for _, a := range areas {
			for i := uint64(a.lo); i <= uint64(a.hi); i++ {
				x.dense[i-uint64(first)] = a.head
			}
		}
		return
	}
	points := 0
	wide := make([]area, 0, len(areas))
	for _, a := range areas {
		if a.lo == a.hi {
			points++
		} else {
			wide = append(wide, a)
		}
	}
	if points > 0 {
		x.hash(areas, points)
	}
	if len(wide) > 0 {
		x.cut(wide)
	}
}

// maxProbes is the maximum number of slots that a look-up should probe.
const maxProbes = 24

// hash makes the table of single values. Its factor is random and is chosen again if
// values collide, so that nobody can choose colliding values.
func (x *index) hash(areas []area, points int) {
	size := max(bits.Len(uint(2*points-1)), 4) // at most half full
	for try := 0; ; try++ {
		x.slots = make([]slot, 1<<size)
		x.bitmap = make([]uint64, bitShare<<size/64)
		x.shift = uint8(32 - bits.Len(uint(bitShare<<size-1)))
		x.odd = rand.Uint32() | 1
		longest := 0
		for _, a := range areas {
			if a.lo == a.hi {
				longest = max(longest, x.put(a))
			}
		}
		if longest <= maxProbes || try == 5 {
			return
		}
		size += try % 2
	}
}

// put enters a single value and returns how many slots it probed.
func (x *index) put(a area) int {
	mask := uint32(len(x.slots) - 1)
	h := x.hashed(a.lo)
	x.bitmap[h/64] |= 1 << (h % 64)
	at := h / bitShare & mask
	for n := 0; ; n++ {
		if x.slots[at].head == 0 {
			x.slots[at] = slot{a.lo, a.head}
			return n
		}
		at = (at + 1) & mask
	}
}

// cut makes the ranges of areas.
func (x *index) cut(areas []area) {
	var around []area
	add := func(lo uint64, head uint32) {
		if lo > 1<<32-1 {
			return
		}
		if n := len(x.ranges); n > 0 && x.ranges[n-1].value == uint32(lo) {
			x.ranges[n-1].head = head
			return
		}
		x.ranges = append(x.ranges, slot{uint32(lo), head})
	}
	leave := func(before uint64) { // ends the areas that end before a value
		for len(around) > 0 && uint64(around[len(around)-1].hi) < before {
			end := uint64(around[len(around)-1].hi) + 1
			around = around[:len(around)-1]
			head := uint32(0)
			if len(around) > 0 {
				head = around[len(around)-1].head
			}
			add(end, head)
		}
	}
	for _, a := range areas {
		leave(uint64(a.lo))
		add(uint64(a.lo), a.head)
		around = append(around, a)
	}
	leave(1 << 33)
	x.steps()
}

// steps makes the table over the top bits of the ranges' starts.
func (x *index) steps() {
	x.ranges = slices.Clip(x.ranges)
	x.first = x.ranges[0].value
	final := x.ranges[len(x.ranges)-1]
	last := final.value
	if final.head != 0 { // it extends to the greatest value
		last = 1<<32 - 1
	}
	span := last - x.first
	limit := min(bits.Len(uint(2*len(x.ranges))), 16)
	x.topStep = uint8(max(bits.Len32(span)-limit, 0))
	steps := span>>x.topStep + 1
	x.top = make([]uint32, steps+1)
	at := 0
	for i := range steps {
		for at+1 < len(x.ranges) && x.ranges[at+1].value <= x.first+i<<x.topStep {
			at++
		}
		x.top[i] = uint32(at)
	}
	x.top[steps] = uint32(len(x.ranges) - 1)
}
