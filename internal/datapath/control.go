package datapath

import (
	"gomapi/internal/chain"
	"gomapi/internal/segment"
)

// The calls of this file change the plan. They come one at a time, from whom the chains'
// Control belongs to, and wait for nothing, but for Free.

// Run tells that the capture goroutine begins.
func (l *Loop) Run() { l.running = true }

// publish hands a plan to the loop that follows the present one with some change.
func (l *Loop) publish(change func(next *plan)) {
	if l.seen.Load() >= l.freshGen {
		l.fresh = nil
	}
	next := l.plan.Load().follow(l.fresh)
	change(next)
	l.plan.Store(next)
}

// renew makes the loop look at a chain that is new or has changed.
func (l *Loop) renew(next *plan, c *chain.Chain) {
	l.fresh = append(l.fresh, c)
	next.fresh = l.fresh
	l.freshGen = next.generation
}

// Connect adds a chain, unmerged, which may be one that goes in lockstep.
func (l *Loop) Connect(c *chain.Chain, lockstep bool) {
	l.publish(func(next *plan) {
		next.add(c)
		if l.running {
			l.renew(next, c)
		} else {
			l.start(c) // it is in the cache still
		}
		if lockstep {
			next.step(c)
		}
	})
}

// Notify has the loop tell those who wait for a flow, between batches, see
// chain.NewNotice.
func (l *Loop) Notify(notice *chain.Chain) {
	l.publish(func(next *plan) { l.renew(next, notice) })
}

// Bind prepares a chain for one that reads a result of it: it goes in lockstep with that
// if it is asked for, and runs as one with others no more.
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

// maxClosed is how many closed chains a plan keeps at least before it is tidied.
const maxClosed = 256

// Tidy forgets closed chains if there are many beside those that are connected.
func (l *Loop) Tidy(connected int) {
	n := len(l.plan.Load().chains)
	if n > 2*connected+maxClosed || connected == 0 && n > 0 {
		l.fresh = alive(l.fresh)
		l.publish((*plan).tidy)
	}
}

// Merge puts a segment into the plan in the place of others, which are to be freed.
// Chains that were shared when it was built and whose results are read by others since
// then leave it at once.
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

// Unmerge takes the chains out of all segments, as filters now stand for these link
// types. It returns the segments, to be freed.
func (l *Loop) Unmerge(types []uint16) (ended []*segment.Segment) {
	ended = l.Segments()
	l.publish(func(next *plan) { next.unmerge(types) })
	return ended
}

// Stop forgets the segments of a device that has ended, and returns them, to be freed.
func (l *Loop) Stop() (ended []*segment.Segment) {
	ended = l.Segments()
	l.publish(func(next *plan) { next.segments = nil })
	return ended
}

// Free waits until the loop does not run segments any more, which the newest plan does
// not have, and frees what they have besides Go's memory. It changes no plan, and any
// goroutine may call it.
func (l *Loop) Free(segments []*segment.Segment) {
	for _, s := range segments {
		l.quiescePlans(s.Born)
		s.Close()
	}
}

// Chains returns those that are not closed.
func (l *Loop) Chains() []*chain.Chain { return alive(l.plan.Load().chains) }

// Unmerged returns the chains that are in no segment, also those that were closed. The
// caller does not change it.
func (l *Loop) Unmerged() []*chain.Chain { return l.plan.Load().unmerged }

// Segments returns those of the plan. The caller does not change it.
func (l *Loop) Segments() []*segment.Segment { return l.plan.Load().segments }
