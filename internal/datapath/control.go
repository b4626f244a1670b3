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
	if l.Passing() {
		l.passes = nil
	}
	next := l.plan.Load().follow(l.fresh, l.passes)
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

// PassBy takes chains out of the plan, until Return.
func (l *Loop) PassBy(chains []*chain.Chain) {
	l.publish(func(next *plan) {
		for _, c := range chains {
			c.AskToPass()
			l.pass(next, c, true)
		}
		next.leave()
	})
}

// pass makes the loop pass a chain by, or let it come back.
func (l *Loop) pass(next *plan, c *chain.Chain, on bool) {
	l.passages++
	l.passes = append(l.passes, passage{l.passages, c, on})
	next.passes, l.passGen = l.passes, next.generation
}

// Passing reports whether the loop has done what the last PassBy has asked for. No lock is
// needed, if PassBy is not called meanwhile.
func (l *Loop) Passing() bool { return l.seen.Load() >= l.passGen }

// Return puts chains that are passed by into the plan again, with a segment that was built of
// them; nil: unmerged. They must have left all other segments, see Left.
func (l *Loop) Return(chains []*chain.Chain, s *segment.Segment) {
	l.publish(func(next *plan) {
		for _, c := range chains {
			c.PassedBy = false
			l.pass(next, c, false)
			if c.InLockstep {
				next.step(c)
			}
		}
		if next.unmerged = append(next.unmerged, chains...); s != nil {
			l.enter(next, s, nil)
		}
	})
}

// Derive makes the packet time and the pauses of a derived loop follow those of this one. Its
// packets come from chain c.
func (l *Loop) Derive(inner *Loop, c *chain.Chain) {
	d := &derived{chain: c, follow: inner.follow, pause: inner.pause}
	l.publish(func(next *plan) { next.derived = append(slices.Clip(next.derived), d) })
}

// Forsake ends that from the next batch on.
func (l *Loop) Forsake(c *chain.Chain) {
	l.publish(func(next *plan) {
		next.derived = slices.DeleteFunc(slices.Clone(next.derived), func(d *derived) bool { return d.chain == c })
	})
}

// Watch makes the loop call Options.Filling again when the device fills.
func (l *Loop) Watch() { l.metering.told.Store(false) }

// SetRivals says whether the chains of the device are those of several shares.
func (l *Loop) SetRivals(several bool) { l.metering.rivals.Store(several) }

// Left reports whether no segment of the plan has a chain that is passed by.
func (l *Loop) Left() bool {
	return !slices.ContainsFunc(l.Segments(), func(s *segment.Segment) bool { return s.Passed })
}

// Analyse makes the loop run an analyser from the next batch on, if it does not yet. The caller
// holds the lock of the plans.
func (l *Loop) Analyse(a *Analysis) {
	if !slices.Contains(l.plan.Load().analyses, a) {
		l.publish(func(next *plan) { next.analyses = append(slices.Clip(next.analyses), a) })
	}
}

// Forget makes the loop run an analyser no more from the next batch on, under the same lock.
// The caller waits with Quiesce before it closes the analyser.
func (l *Loop) Forget(a *Analysis) {
	if !slices.Contains(l.plan.Load().analyses, a) {
		return
	}
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
		l.passes = slices.DeleteFunc(slices.Clone(l.passes), func(x passage) bool { return x.chain.Closed() })
		l.publish((*plan).tidy)
	}
}

// Merge puts a segment into the plan in place of others, which the caller frees. Chains
// whose results others have begun to read while it was being built leave it at once.
func (l *Loop) Merge(s *segment.Segment, replaced []*segment.Segment) {
	l.publish(func(next *plan) { l.enter(next, s, replaced) })
}

func (l *Loop) enter(next *plan, s *segment.Segment, replaced []*segment.Segment) {
	alone := s.Enter()
	s.Born = next.generation
	next.merge(s, replaced)
	for _, c := range alone {
		l.bind(next, c, false)
	}
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
