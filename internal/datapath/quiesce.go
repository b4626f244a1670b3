package datapath

import (
	"slices"

	"gomapi/internal/chain"
)

// Park calls wait, in which function a waits for a client in the middle of a batch.
// Results are complete meanwhile, and chains other than that of a can be closed.
func (l *Loop) Park(a *chain.Instance, wait func()) {
	l.flusher.flushAll()
	l.epoch.park(a)
	wait()
	l.epoch.park(nil)
}

// AwaitReader tells that function a begins or ends to wait for the reader of its packet
// buffer. The readers of other buffers look up, for it may be one of them that
// has to read this one first.
func (l *Loop) AwaitReader(a *chain.Instance, begin bool) {
	if !begin {
		l.epoch.park(nil)
		return
	}
	l.flusher.flushAll()
	for _, c := range l.plan.Load().chains { // before they may be closed
		c.Nudge(a)
	}
	l.epoch.park(a)
}

// Quiesce returns when the loop does not come upon chains any more that were closed: the
// grace period for their memory. It waits for one batch at most; not for a client that
// lets a capture file wait in another chain.
func (l *Loop) Quiesce(closed []*chain.Chain) {
	l.epoch.await(func(parked *chain.Instance) bool {
		return parked != nil && !slices.ContainsFunc(closed, func(c *chain.Chain) bool { return c.Has(parked) })
	})
}

// quiescePlans returns when the loop does not look at plans of a generation or later any
// more that were replaced. It waits for a batch, also for one that waits for a client,
// unless that runs on an older plan.
func (l *Loop) quiescePlans(generation uint64) {
	l.epoch.await(func(parked *chain.Instance) bool { return parked != nil && l.seen.Load() < generation })
}
