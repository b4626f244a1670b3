package classify

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// listed returns the groups to which an index leads for a value.
func listed(x *index, all *postingLists, v uint32) []uint32 {
	var found []uint32
	for at := x.find(v); at != 0; at = all.list[at].around {
		l := all.list[at]
		for _, k := range all.postings[l.from:l.to] {
			found = append(found, k.entry.group())
		}
	}
	slices.Sort(found)
	return found
}

// TestBlocks: blocks cover their interval, each value once, and are aligned.
func TestBlocks(t *testing.T) {
	for _, c := range [][2]uint32{{0, 0}, {0, math.MaxUint32}, {1, math.MaxUint32 - 1}, {5, 5}, {80, 443}, {math.MaxUint32, math.MaxUint32}, {1 << 31, math.MaxUint32}} {
		next := uint64(c[0])
		blocks := appendBlocks(nil, c[0], c[1], posting{})
		for _, b := range blocks {
			if uint64(b.lo) != next || uint64(b.lo)%(1<<b.size) != 0 {
				t.Errorf("%v: block at %d of 2^%d values, want one at %d", c, b.lo, b.size, next)
			}
			next = uint64(b.hi()) + 1
		}
		if next != uint64(c[1])+1 || len(blocks) > 62 {
			t.Errorf("%v: %d blocks end before %d", c, len(blocks), next)
		}
	}
}

// TestIndex compares an index of random intervals with a test of each interval.
func TestIndex(t *testing.T) {
	for seed := range 60 {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		limit := pickOne[uint32](r, 255, 65535, math.MaxUint32)
		type interval struct{ lo, hi uint32 }
		var intervals []interval
		var blocks []block
		for i := range 1 + r.IntN(pickOne(r, 3, 50, 2000)) {
			lo := r.Uint32N(limit)
			if r.IntN(3) == 0 {
				lo = min(limit, 1000+r.Uint32N(64)) // close together
			}
			hi := lo
			switch r.IntN(4) {
			case 0:
				hi = lo + r.Uint32N(limit-lo+1)>>r.IntN(32)
			case 1:
				low := uint32(1)<<r.IntN(32) - 1
				lo, hi = lo&^low, min(limit, lo|low)
			}
			intervals = append(intervals, interval{lo, hi})
			blocks = appendBlocks(blocks, lo, hi, posting{entry: entry(i)<<entryShift | entry(r.IntN(1<<entryShift))})
		}
		var x index
		all := postingLists{list: make([]postingList, 1)}
		x.fill(blocks, &all)
		var values []uint32
		for _, v := range intervals {
			values = append(values, v.lo, v.hi, v.lo-1, v.hi+1, v.lo+(v.hi-v.lo)/2)
		}
		r.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		for _, v := range append(values[:min(len(values), 500)], 0, limit, math.MaxUint32, r.Uint32()) {
			var want []uint32
			for i, in := range intervals {
				if in.lo <= v && v <= in.hi {
					want = append(want, uint32(i))
				}
			}
			if got := listed(&x, &all, v); !slices.Equal(got, want) {
				t.Fatalf("seed %d, value %d: %v, want %v", seed, v, got, want)
			}
		}
	}
}

func pickOne[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }
