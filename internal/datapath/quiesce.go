package datapath

import (
	"slices"

	"gomapi/internal/chain"
)

// Park calls wait, in which function a waits for a client in the middle of a batch.
// Meanwhile results are up to date, and chains other than that of a can be closed.
func (l *Loop) Park(a *chain.Instance, wait func()) {
	l.flusher.flushAll()
	l.park(a)
	defer l.resume()
	wait()
}

// park notes that the loop waits in function a.
func (l *Loop) park(a *chain.Instance) {
	l.epoch.park(a)
	l.active.Unlock()
	if l.options.Rest != nil {
		l.options.Rest()
	}
}

// resume ends that.
func (l *Loop) resume() {
	if l.options.Resume != nil {
		l.options.Resume()
	}
	l.active.Lock()
	l.epoch.park(nil)
}

// Suspend parks the loop in function a, because a derived loop waits for a client there.
func (l *Loop) Suspend(a *chain.Instance) { l.park(a) }

// Proceed ends that.
func (l *Loop) Proceed() { l.resume() }

// FinishClosed tells the functions of a closed chain that no packet follows. The loop has left
// the chain, see Quiesce. It rests meanwhile, because the functions may use what belongs to
// its goroutine.
func (l *Loop) FinishClosed(c *chain.Chain) {
	l.active.Lock()
	defer l.active.Unlock()
	c.Finish()
}

// Resting calls f while the loop rests: between two batches, with results up to date, or parked. f
// may do what is for the capture goroutine, but must not wait.
func (l *Loop) Resting(f func()) {
	l.active.Lock()
	defer l.active.Unlock()
	if !l.epoch.waits() {
		l.host.Publish()
		l.flusher.flushAll()
	}
	f()
}

// AwaitReader notes that function a begins or ends to wait for the reader of its packet
// buffer. It wakes the readers of all other buffers, because one program may read several
// and sleep on another one.
func (l *Loop) AwaitReader(a *chain.Instance, begin bool) {
	if !begin {
		l.resume()
		return
	}
	l.flusher.flushAll()
	for _, c := range l.plan.Load().chains { // before park: from then on they may be closed
		c.Nudge(a)
	}
	l.park(a)
}

// Quiesce returns when the loop no longer uses the closed chains: the grace period for their
// memory. It waits for one batch at most, and not at all for a batch that is parked in
// another chain.
func (l *Loop) Quiesce(closed []*chain.Chain) {
	l.epoch.await(func(parked *chain.Instance) bool {
		return parked != nil && !slices.ContainsFunc(closed, func(c *chain.Chain) bool { return c.Has(parked) })
	})
}

// quiescePlans returns when the loop no longer uses replaced plans of a generation or
// later. It waits for the batch under way, also for a parked one, unless that runs on a
// plan older than generation.
func (l *Loop) quiescePlans(generation uint64) {
	l.epoch.await(func(parked *chain.Instance) bool { return parked != nil && l.seen.Load() < generation })
}
