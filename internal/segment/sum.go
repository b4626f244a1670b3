package segment

import "sync/atomic"

// A sum is the result of one instance that adds up, and how much of its node's total the
// result already has. The cost of flushing grows with the number of instances, so it is done
// in steps.
type sum struct {
	word     *atomic.Uint64 // the result
	released atomic.Bool    // the result may be freed, or the chain has detached
	seen     uint64         // total of the node at the last flush
}

// flush adds to the result what the total has grown by since the last flush.
func (s *sum) flush(total uint64) {
	if s.seen != total && !s.released.Load() {
		s.word.Add(total - s.seen)
	}
	s.seen = total
}

// together is how many results are loaded before the first of them is added to.
const together = 16

// flushEach flushes all of the sums. The results are scattered over the memory of many
// users. Loading several before adding to them overlaps their cache misses; atomic
// additions alone would wait for each.
func flushEach(sums []sum, total uint64) {
	for len(sums) > 0 {
		some := sums[:min(together, len(sums))]
		for i := range some {
			if !some[i].released.Load() {
				some[i].word.Load()
			}
		}
		for i := range some {
			some[i].flush(total)
		}
		sums = sums[len(some):]
	}
}
