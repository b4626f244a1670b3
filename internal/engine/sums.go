package engine

import "gomapi/flib"

// A sum is an instance of a function that adds up, and what it was handed of the
// total of its branch. Handing costs as much as the instances are, so it is not done
// with each batch but bit by bit, and whole before the device waits for packets: while
// packets rush by, a result that is read is old by as many batches as it takes to hand
// all instances theirs, sumsPerBatch after each.
type sum struct {
	chain  *chain // nil: has left
	summer flib.Summer
	seen   uint64
}

// sumsPerBatch bounds the instances that are handed their sums after a batch.
const sumsPerBatch = 16

// hand gives the instance what has come since the last time. Those of closed flows
// get nothing: their results are not there any more.
func (s *sum) hand(total uint64) {
	if s.chain != nil && s.seen != total && !s.chain.closed.Load() {
		s.summer.Add(total - s.seen)
	}
	s.seen = total
}

// A queue holds the branches with sums that not all instances were handed, each
// once. It belongs to the capture goroutine.
type queue struct {
	branches []*branch // a ring
	first, n int
}

func (q *queue) fit(n int) { q.branches = make([]*branch, n) }

func (q *queue) push(b *branch) {
	if b.queued {
		return
	}
	b.queued = true
	q.branches[(q.first+q.n)%len(q.branches)] = b
	q.n++
}

// hand gives up to n instances their sums.
func (q *queue) hand(n int) {
	for q.n > 0 && n > 0 {
		b := q.branches[q.first]
		if b.cursor == 0 {
			b.round = b.total
		}
		for ; b.cursor < len(b.sums) && n > 0; n-- {
			b.sums[b.cursor].hand(b.total)
			b.cursor++
		}
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
		for i := range b.sums {
			b.sums[i].hand(b.total)
		}
		b.cursor, b.queued = 0, false
		q.first, q.n = (q.first+1)%len(q.branches), q.n-1
	}
}
