package engine

import "sync/atomic"

// A sum is an instance of a function that adds up, and what it was handed of the
// total of its branch. Handing costs as much as the instances are, so it is done bit by
// bit (hand.go).
type sum struct {
	word *atomic.Uint64 // the result
	left atomic.Bool    // it is not there any more, or the chain has left
	seen uint64
}

// hand gives the instance what has come since the last time.
func (s *sum) hand(total uint64) {
	if s.seen != total && !s.left.Load() {
		s.word.Add(total - s.seen)
	}
	s.seen = total
}

// handEach hands total to all of them. Results lie far apart, in the memory of many
// users: they are looked at first, so that the processor waits for several at a time,
// which it does not for words that are added to.
func handEach(sums []sum, total uint64) {
	for len(sums) > 0 {
		some := sums[:min(together, len(sums))]
		for i := range some {
			if !some[i].left.Load() {
				some[i].word.Load()
			}
		}
		for i := range some {
			some[i].hand(total)
		}
		sums = sums[len(some):]
	}
}

// A queue holds the branches with sums that not all instances were handed, each
// once. It belongs to the capture goroutine.
type queue struct {
	branches []*branch // a ring
	first, n int
	owes     int // instances of them that were not handed theirs
}

func (q *queue) fit(n int) { q.branches = make([]*branch, n) }

func (q *queue) push(b *branch) {
	if b.queued {
		return
	}
	b.queued = true
	q.branches[(q.first+q.n)%len(q.branches)] = b
	q.n++
	q.owes += len(b.sums)
}

// hand gives up to n instances their sums.
func (q *queue) hand(n int) {
	for q.n > 0 && n > 0 {
		b := q.branches[q.first]
		if b.cursor == 0 {
			b.round = b.total
		}
		some := b.sums[b.cursor:][:min(n, len(b.sums)-b.cursor)]
		handEach(some, b.total)
		b.cursor, n, q.owes = b.cursor+len(some), n-len(some), q.owes-len(some)
		if b.cursor < len(b.sums) {
			return
		}
		b.cursor, b.queued = 0, false
		q.first, q.n = (q.first+1)%len(q.branches), q.n-1
		if b.round != b.total {
			q.push(b)
		}
	}
}

// handAll gives all instances their sums.
func (q *queue) handAll() {
	for q.n > 0 {
		b := q.branches[q.first]
		handEach(b.sums, b.total)
		b.cursor, b.queued = 0, false
		q.first, q.n = (q.first+1)%len(q.branches), q.n-1
	}
	q.owes = 0
}
