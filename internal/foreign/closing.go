package foreign

import (
	"context"
	"io"
	"sync"

	"golang.org/x/sys/unix"
)

// A Descriptor is a received descriptor of which nothing is known.
type Descriptor int

// Close implements io.Closer.
func (d Descriptor) Close() error { return unix.Close(int(d)) }

// A closing closes descriptors on goroutines of its own, a few at a time. Closing a socket also
// closes all descriptors that wait in it.
type closing struct {
	pool *Pool
	done func() // called, with mu locked, when nothing is pending any more; may be nil

	mu      sync.Mutex
	waiting []io.Closer
	pending int           // waiting, or being closed
	closers int           // goroutines
	settled chan struct{} // closed when pending falls below the limit; nil: nobody waits
}

func (q *closing) init(p *Pool, done func()) { q.pool, q.done = p, done }

// Discard closes c, which the caller gives away. It never waits.
func (q *closing) Discard(c io.Closer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, c)
	q.pending++
	if q.closers < userClosings {
		q.closers++
		q.pool.goClose(q.closeWaiting)
	}
}

// closeWaiting closes until nothing waits.
func (q *closing) closeWaiting() {
	for c := q.next(); c != nil; c = q.next() {
		q.pool.closings <- struct{}{}
		_ = c.Close() // nobody is left who could be told
		<-q.pool.closings
		q.closed()
	}
}

func (q *closing) next() io.Closer {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.closers--
		q.waiting = nil
		return nil
	}
	c := q.waiting[0]
	q.waiting = q.waiting[1:]
	return c
}

func (q *closing) closed() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pending--
	if q.settled != nil && q.pending < maxPending {
		close(q.settled)
		q.settled = nil
	}
	if q.pending == 0 && q.done != nil {
		q.done()
	}
}

// Overdue reports whether very many descriptors wait to be closed.
func (q *closing) Overdue() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.pending >= maxPending
}

// Settle waits while very many descriptors wait to be closed, so that their number is bounded:
// who takes more of them waits here first.
func (q *closing) Settle(ctx context.Context) error {
	for {
		q.mu.Lock()
		if q.pending < maxPending {
			q.mu.Unlock()
			return nil
		}
		if q.settled == nil {
			q.settled = make(chan struct{})
		}
		settled := q.settled
		q.mu.Unlock()
		select {
		case <-settled:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
