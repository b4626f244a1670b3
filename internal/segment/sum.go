package segment

import "sync/atomic"

// A sum is the result of an instance that adds up, and what it was given of the total of
// its node. Giving costs as much as the instances are, so it is done bit by bit.
type sum struct {
	word     *atomic.Uint64 // the result
	released atomic.Bool    // it is not there any more, or the chain has detached
	seen     uint64
}

// flush adds to the result what has come since the last time.
func (s *sum) flush(total uint64) {
	if s.seen != total && !s.released.Load() {
		s.word.Add(total - s.seen)
	}
	s.seen = total
}

// together is how many results are looked at before they are added to.
const together = 16

// flushEach flushes all of the sums. Results lie far apart, in the memory of many
// users: they are looked at first, so that the processor waits for several at a time,
// which it does not for words that are added to.
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
