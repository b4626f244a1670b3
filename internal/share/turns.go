package share

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// turnLength is how long a turn lasts while others wait.
	turnLength = 5 * time.Millisecond
	// halfLife is the time after which half of what a payer has taken is forgotten.
	halfLife = 2 * time.Second
)

// Turns lets few work at a time: whoever has a turn. The payer that has taken least of late
// comes first; what each payer has at work comes in order of waiting.
type Turns struct {
	now     func() time.Time
	waiters atomic.Int32

	mu      sync.Mutex
	free    int      // turns that nobody has
	resting []*Turn  // turns that may be taken from those who have them
	payers  []*Payer // with turns in usage.queue
}

// usage is what a payer has taken of late, and what waits. Turns.mu guards it.
type usage struct {
	queue  []*Turn
	recent float64   // ns
	known  int64     // Payer.spent, as far as recent has it
	at     time.Time // of recent
}

// NewTurns makes a number of turns.
func NewTurns(n int) *Turns { return &Turns{free: n, now: time.Now} }

// A Turn is the place of one goroutine, which alone calls its methods.
type Turn struct {
	turns   *Turns
	payer   *Payer
	granted chan struct{}
	since   time.Time // of the beginning of the turn
	charged time.Time // up to here the payer is charged
	has     bool      // guarded by Turns.mu while it rests
	active  bool      // between Begin and End
}

// New makes a place for a goroutine that works for a payer.
func (t *Turns) New(p *Payer) *Turn {
	return &Turn{turns: t, payer: p, granted: make(chan struct{}, 1)}
}

// Begin waits for a turn. When ctx ends it returns all the same, so that the work can end.
func (u *Turn) Begin(ctx context.Context) {
	u.active = true
	u.Resume(ctx)
}

// End gives the turn back.
func (u *Turn) End() {
	u.Rest()
	u.turns.mu.Lock()
	defer u.turns.mu.Unlock()
	u.active = false
	if u.has {
		u.turns.takeLocked(u)
		u.turns.free++
	}
}

// Check ends the turn if it was long enough and others wait, and waits for the next one.
func (u *Turn) Check(ctx context.Context) {
	if u.turns.waiters.Load() > 0 && u.turns.now().Sub(u.since) >= turnLength {
		u.yield()
		u.await(ctx)
	}
}

// yield gives the turn to whose turn it is now, which may be the same.
func (u *Turn) yield() {
	t := u.turns
	t.mu.Lock()
	defer t.mu.Unlock()
	if !u.has {
		t.waitLocked(u) // the context has ended before
		return
	}
	now := t.now()
	u.chargeLocked(now)
	u.has = false
	t.waitLocked(u)
	t.grantLocked(t.nextLocked(now))
}

// chargeLocked charges the payer for the time since it was charged last.
func (u *Turn) chargeLocked(now time.Time) {
	u.payer.spent.Add(int64(now.Sub(u.charged)))
	u.charged = now
}

// Rest says that the goroutine waits for something else than a processor, until Resume. Others
// may take its turn. It does nothing before Begin and after End.
func (u *Turn) Rest() {
	if !u.active {
		return
	}
	t := u.turns
	t.mu.Lock()
	defer t.mu.Unlock()
	if !u.has {
		return
	}
	now := t.now()
	u.chargeLocked(now)
	t.resting = append(t.resting, u)
	if next := t.nextLocked(now); next != nil {
		t.takeLocked(u)
		t.grantLocked(next)
	}
}

// Resume ends Rest. It waits if the turn was taken. When ctx ends it returns all the same.
func (u *Turn) Resume(ctx context.Context) {
	if u.active && !u.enter() {
		u.await(ctx)
	}
}

// await waits for the turn to be granted, or for the end of ctx.
func (u *Turn) await(ctx context.Context) {
	select {
	case <-u.granted:
	case <-ctx.Done():
		u.leave()
	}
	now := u.turns.now()
	u.since, u.charged = now, now
}

// enter goes on with the turn, takes a free one, or begins to wait.
func (u *Turn) enter() (has bool) {
	t := u.turns
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	u.charged = now
	if i := slices.Index(t.resting, u); i >= 0 {
		t.resting = slices.Delete(t.resting, i, i+1)
		return true
	}
	switch {
	case t.free > 0:
		t.free--
	case len(t.resting) > 0:
		t.takeLocked(t.resting[0])
	default:
		t.waitLocked(u)
		return false
	}
	u.has, u.since = true, now
	return true
}

// takeLocked takes the turn from one that rests.
func (t *Turns) takeLocked(u *Turn) {
	t.resting = slices.DeleteFunc(t.resting, func(v *Turn) bool { return v == u })
	u.has = false
}

// waitLocked puts u into the queue of its payer.
func (t *Turns) waitLocked(u *Turn) {
	q := &u.payer.usage
	if q.queue = append(q.queue, u); len(q.queue) == 1 {
		t.payers = append(t.payers, u.payer)
	}
	t.waiters.Add(1)
}

// nextLocked takes the one whose turn it is out of its queue, nil if nobody waits.
func (t *Turns) nextLocked(now time.Time) *Turn {
	if len(t.payers) == 0 {
		return nil
	}
	p := slices.MinFunc(t.payers, func(a, b *Payer) int { return int(math.Copysign(1, a.recently(now)-b.recently(now))) })
	u := p.usage.queue[0]
	t.removeLocked(u)
	return u
}

// removeLocked takes u out of the queue of its payer.
func (t *Turns) removeLocked(u *Turn) {
	q := &u.payer.usage
	q.queue = slices.DeleteFunc(q.queue, func(v *Turn) bool { return v == u })
	if len(q.queue) == 0 {
		t.payers = slices.DeleteFunc(t.payers, func(p *Payer) bool { return p == u.payer })
	}
	t.waiters.Add(-1)
}

func (t *Turns) grantLocked(u *Turn) {
	u.has = true
	u.granted <- struct{}{}
}

// leave ends waiting. A turn that was given meanwhile is kept.
func (u *Turn) leave() {
	u.turns.mu.Lock()
	defer u.turns.mu.Unlock()
	if u.has {
		<-u.granted
		return
	}
	u.turns.removeLocked(u)
}

// recently returns what the payer has taken of late. Turns.mu is held.
func (p *Payer) recently(now time.Time) float64 {
	u, spent := &p.usage, p.spent.Load()
	u.recent = u.recent*math.Exp2(-float64(now.Sub(u.at))/float64(halfLife)) + float64(spent-u.known)
	u.known, u.at = spent, now
	return u.recent
}
