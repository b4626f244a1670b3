package datapath

import (
	"slices"

	"gomapi/internal/chain"
)

// Park calls wait, in which function a waits for a client in the middle of a batch.
// Results are complete meanwhile, and chains other than that of a can be closed.
func (l *Loop) Park(a *chain.Instance, wait func()) {
	l.flusher.flushAll()
	l.setParked(a)
	wait()
	l.setParked(nil)
}

// AwaitReader tells that function a begins or ends to wait for the reader of its packet
// buffer. The readers of other buffers look up, for it may be one of them that
// has to read this one first.
func (l *Loop) AwaitReader(a *chain.Instance, begin bool) {
	if !begin {
		l.setParked(nil)
		return
	}
	l.flusher.flushAll()
	for _, c := range l.plan.Load().chains { // before they may be closed
		c.Nudge(a)
	}
	l.setParked(a)
}

// setParked tells that the loop waits in function a, or no more.
func (l *Loop) setParked(a *chain.Instance) {
	l.waiters.Lock()
	l.waiters.parked = a
	l.waiters.Broadcast()
	l.waiters.Unlock()
}

// parkedBeside reports whether the loop waits in a function that is in none of the
// chains. The lock of waiters is held.
func (l *Loop) parkedBeside(chains []*chain.Chain) bool {
	a := l.waiters.parked
	return a != nil && !slices.ContainsFunc(chains, func(c *chain.Chain) bool { return c.Has(a) })
}
