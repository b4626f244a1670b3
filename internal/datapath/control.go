package datapath

import (
	"slices"

	"gomapi/flib"
	"gomapi/internal/chain"
	"gomapi/internal/segment"
)

// The calls of this file change the plan. The caller holds the lock of the plans. No call
// waits, except Free.

// Run notes that the capture goroutine begins.
func (l *Loop) Run() { l.running = true }

// publish makes the next plan, applies a change to it and hands it to the loop.
func (l *Loop) publish(change func(next *plan)) {
	if l.seen.Load() >= l.freshGen {
		l.fresh = nil
	}
	next := l.plan.Load().follow(l.fresh)
	change(next)
	l.plan.Store(next)
}

// renew makes the loop start a chain that is new, or detach one that was asked to.
func (l *Loop) renew(next *plan, c *chain.Chain) {
	l.fresh = append(l.fresh, c)
	next.fresh = l.fresh
	l.freshGen = next.generation
}

// Connect adds a chain, unmerged, and puts it in lockstep if asked.
func (l *Loop) Connect(c *chain.Chain, lockstep bool) {
	l.publish(func(next *plan) {
		next.add(c)
		if l.running {
			l.renew(next, c)
		} else {
			l.start(c) // while it is in the cache
		}
		if lockstep {
			next.step(c)
		}
	})
}

// Notify makes the loop tell functions that wait for a flow, between batches, that it will never
// be connected: they stop waiting with the packets from since on.
func (l *Loop) Notify(started, connected *flib.FlowRef, since uint64) {
	notice := chain.New(0, nil, nil, started, connected)
	notice.ShowFrom(since)
	l.publish(func(next *plan) { l.renew(next, notice) })
}

// Bind prepares a chain for another one that will read a result of it. The chain leaves its
// segment, because it must not be shared any more, and goes in lockstep if asked.
func (l *Loop) Bind(c *chain.Chain, lockstep bool) {
	l.publish(func(next *plan) { l.bind(next, c, lockstep) })
}

func (l *Loop) bind(next *plan, c *chain.Chain, lockstep bool) {
	if lockstep && !c.InLockstep {
		next.step(c)
	}
	c.Watch()
	if c.AskToDetach() {
		next.unmerged = append(next.unmerged, c)
		l.renew(next, c)
	}
}

// Analyse makes the loop run an analyser from the next batch on. The caller holds the lock of
// the plans.
func (l *Loop) Analyse(a *Analysis) {
	l.publish(func(next *plan) { next.analyses = append(slices.Clip(next.analyses), a) })
}

// Forget makes the loop run an analyser no more from the next batch on, under the same lock.
// The caller waits with Quiesce before it closes the analyser.
func (l *Loop) Forget(a *Analysis) {
	l.publish(func(next *plan) {
		next.analyses = slices.DeleteFunc(slices.Clone(next.analyses), func(b *Analysis) bool { return a == b })
	})
}

// Closed chains may stay in a plan until they are many or keep much memory.
const (
	maxClosed = 256     // more than there are connected ones
	maxKept   = 1 << 20 // bytes
)

// Tidy is called after chains were closed, which keep so many bytes. It removes closed chains from
// the plan if they are too many or keep too much, or if no flow is connected.
func (l *Loop) Tidy(connected, bytes int) {
	n := len(l.plan.Load().chains)
	l.kept += bytes
	if n > 2*connected+maxClosed || connected == 0 && n > 0 || l.kept > maxKept {
		l.kept = 0
		l.fresh = alive(l.fresh)
		l.publish((*plan).tidy)
	}
}

// Merge puts a segment into the plan in place of others, which the caller frees. Chains
// whose results others have begun to read while it was being built leave it at once.
func (l *Loop) Merge(s *segment.Segment, replaced []*segment.Segment) {
	alone := s.Enter()
	l.publish(func(next *plan) {
		s.Born = next.generation
		next.merge(s, replaced)
		for _, c := range alone {
			l.bind(next, c, false)
		}
	})
}

// Unmerge takes all chains out of their segments, because the filters were compiled for
// further link types; types are now all. It returns the segments, which the caller frees.
func (l *Loop) Unmerge(types []uint16) (ended []*segment.Segment) {
	ended = l.Segments()
	l.publish(func(next *plan) { next.unmerge(types) })
	return ended
}

// Stop removes the segments of a device that has ended and returns them, which the caller
// frees.
func (l *Loop) Stop() (ended []*segment.Segment) {
	ended = l.Segments()
	l.publish(func(next *plan) { next.segments = nil })
	return ended
}

// Free waits until the loop no longer runs the segments, which the newest plan does not
// have, and then closes them. It changes no plan, and any goroutine may call it.
func (l *Loop) Free(segments []*segment.Segment) {
	for _, s := range segments {
		l.quiescePlans(s.Born)
		s.Close()
	}
}

// Chains returns the chains that are not closed.
func (l *Loop) Chains() []*chain.Chain { return alive(l.plan.Load().chains) }

// Unmerged returns the chains that are in no segment, also closed ones. The caller must not
// change the list.
func (l *Loop) Unmerged() []*chain.Chain { return l.plan.Load().unmerged }

// Segments returns the segments of the plan. The caller must not change the list.
func (l *Loop) Segments() []*segment.Segment { return l.plan.Load().segments }
