package datapath

import "gomapi/internal/chain"

// begin begins an epoch in which the loop runs.
func (l *Loop) begin() { l.epoch.Add(1) }

// end ends it and wakes who waits for that.
func (l *Loop) end() {
	l.epoch.Add(1)
	if l.waiters.count.Load() != 0 {
		l.waiters.Lock()
		l.waiters.Broadcast()
		l.waiters.Unlock()
	}
}

// Abandon ends what a panic has interrupted. It is for the capture goroutine.
func (l *Loop) Abandon() {
	l.moves.Abandon()
	if l.epoch.Load()&1 == 1 {
		l.end()
	}
}

// Quiesce returns when the loop does not come upon chains any more that were closed: the
// grace period for their memory. It waits for one batch at most; not for a client that
// lets a capture file wait in another chain.
func (l *Loop) Quiesce(closed []*chain.Chain) {
	l.await(func() bool { return l.parkedBeside(closed) })
}

// quiescePlans returns when the loop does not look at plans of a generation or later any
// more that were replaced. It waits for a batch, also for one that waits for a client,
// unless that runs on an older plan.
func (l *Loop) quiescePlans(generation uint64) {
	l.await(func() bool { return l.waiters.parked != nil && l.seen.Load() < generation })
}

// await waits until the batch has ended that is under way, if there is one, or until it
// need not: enough is called with the lock of waiters held.
func (l *Loop) await(enough func() bool) {
	epoch := l.epoch.Load()
	if epoch&1 == 0 {
		return
	}
	l.waiters.count.Add(1)
	l.waiters.Lock()
	for l.epoch.Load() == epoch && !enough() {
		l.waiters.Wait()
	}
	l.waiters.Unlock()
	l.waiters.count.Add(-1)
}
