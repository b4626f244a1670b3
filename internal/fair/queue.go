package fair

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A Queue gives places to users who wait for them: next is the user who has used the least time
// lately. The time that a user holds places is charged to a Ledger. The last free place is kept
// for a user who holds none and has used less than Little. Any goroutine may use a Queue.
type Queue[User comparable] struct {
	o      QueueOptions
	ledger *Ledger[User]

	mu    sync.Mutex
	free  int
	users map[User]*guest // those who hold a place or wait for one
	last  uint64          // number of the last waiter
}

// QueueOptions configure a Queue.
type QueueOptions struct {
	Places  int           // in all; a single one is kept for nobody
	PerUser int           // places that one user can hold
	Little  time.Duration // see Queue
}

// A guest is a user of a queue.
type guest struct {
	since   []time.Time // when the user got the places that the user holds
	waiting []*waiter   // in order of arrival
}

// A waiter waits for a place.
type waiter struct {
	number uint64        // in order of arrival
	ready  chan struct{} // closed when it has the place
}

// NewQueue makes a queue that charges l. Several queues may charge the same ledger.
func NewQueue[User comparable](o QueueOptions, l *Ledger[User]) *Queue[User] {
	return &Queue[User]{o: o, ledger: l, free: o.Places, users: make(map[User]*guest)}
}

// Enter waits for a place until ctx ends, whose error it then returns. The caller gives the place
// back by calling leave.
func (q *Queue[User]) Enter(ctx context.Context, user User) (leave func(), err error) {
	w := q.wait(user)
	select {
	case <-w.ready:
	case <-ctx.Done():
		if q.giveUp(user, w) {
			return nil, ctx.Err()
		}
	}
	return sync.OnceFunc(func() { q.leave(user) }), nil
}

// Held returns how many places are held now.
func (q *Queue[User]) Held() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.o.Places - q.free
}

// wait adds a waiter, who may be served at once.
func (q *Queue[User]) wait(user User) *waiter {
	q.mu.Lock()
	defer q.mu.Unlock()
	g := q.users[user]
	if g == nil {
		g = &guest{}
		q.users[user] = g
	}
	q.last++
	w := &waiter{q.last, make(chan struct{})}
	g.waiting = append(g.waiting, w)
	q.serve()
	return w
}

// giveUp removes a waiter. It returns false if the waiter has got a place meanwhile.
func (q *Queue[User]) giveUp(user User, w *waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	g := q.users[user]
	if g == nil {
		return false
	}
	i := slices.Index(g.waiting, w)
	if i < 0 {
		return false
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	q.forget(user, g)
	return true
}

// leave gives back the place that the user has held for the longest time. Which of the user's
// places it is does not matter: their times add up to the same.
func (q *Queue[User]) leave(user User) {
	q.mu.Lock()
	defer q.mu.Unlock()
	g := q.users[user]
	q.ledger.Charge(user, q.ledger.now().Sub(g.since[0]))
	g.since = g.since[1:]
	q.forget(user, g)
	q.free++
	q.serve()
}

// forget drops a user who neither holds a place nor waits. q.mu is held.
func (q *Queue[User]) forget(user User, g *guest) {
	if len(g.since) == 0 && len(g.waiting) == 0 {
		delete(q.users, user)
	}
}

// serve gives free places to those who wait. q.mu is held.
func (q *Queue[User]) serve() {
	for q.free > 0 {
		g := q.next()
		if g == nil {
			return
		}
		q.free--
		g.since = append(g.since, q.ledger.now())
		close(g.waiting[0].ready)
		g.waiting = g.waiting[1:]
	}
}

// next returns the user who is served next, nil if there is none. q.mu is held.
func (q *Queue[User]) next() (next *guest) {
	least := time.Duration(0)
	for user, g := range q.users {
		if len(g.waiting) == 0 {
			continue
		}
		used := q.used(user, g)
		if !q.mayHave(g, used) {
			continue
		}
		if next == nil || used < least || used == least && g.waiting[0].number < next.waiting[0].number {
			next, least = g, used
		}
	}
	return next
}

// mayHave reports whether a user who has used this time may have one of the free places.
func (q *Queue[User]) mayHave(g *guest, used time.Duration) bool {
	n := len(g.since)
	if n >= q.o.PerUser {
		return false
	}
	return q.free > 1 || q.o.Places == 1 || n == 0 && used < q.o.Little
}

// used returns the time that a user has used lately, with that of the places held now.
func (q *Queue[User]) used(user User, g *guest) time.Duration {
	used, now := q.ledger.Used(user), q.ledger.now()
	for _, since := range g.since {
		used += now.Sub(since)
	}
	return used
}
