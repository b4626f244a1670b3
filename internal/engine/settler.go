package engine

import (
	"context"
	"math/bits"
	"slices"
	"time"
)

// A settler moves the chains of a capture from loose into levels, and levels into larger
// ones. While flows come, levels of about the same size wait until there are fanIn of
// them and become one, so that a chain is built into a level as often as the logarithm
// of their number; when all is quiet, all become one. Building a level takes up to
// seconds. Each is built by a goroutine of its own, a small one and a large one at a
// time, so that chains are not loose for long. All of it is guarded by Engine.mu.
type settler struct {
	capture *capture
	small   bool          // a small level is being built
	large   bool          // a large one is being built
	busy    []*level      // they are being replaced
	changed time.Time     // of the last connect
	total   uint64        // packets, when busyLoop was last asked
	resume  time.Time     // not before then all become one again
	timer   *time.Timer   // comes back when it has been quiet; nil: no need
	began   uint64        // packets, when a small level was begun
	built   chan struct{} // closed when the next level was built; nil: nobody waits
}

const (
	maxLoose   = 16                     // chains that may stay loose while flows and packets come
	maxIdle    = 2048                   // the same while no packets come to a device that was started
	fanIn      = 16                     // levels that become one
	largeLevel = 1024                   // chains of a level that does not hold up loose ones
	maxCrowd   = 64                     // loose chains with which who connects waits for a level
	crowdWait  = 100 * time.Millisecond // at most
	quietAfter = 100 * time.Millisecond // without a connect
	restFactor = 8                      // time until all become one again, in times that it took
)

// connected tells that a chain came. Engine.mu is held.
func (s *settler) connected() {
	s.changed = time.Now()
	s.stir()
}

// keepUp holds up who has connected while packets come and many chains are loose, each of
// which costs every packet: until a small level that is being built takes them up.
func (s *settler) keepUp(ctx context.Context) {
	built := s.crowded()
	if built == nil {
		return
	}
	wait, cancel := context.WithTimeout(ctx, crowdWait)
	defer cancel()
	for ; built != nil && wait.Err() == nil; built = s.crowded() {
		select {
		case <-built:
		case <-wait.Done():
		}
	}
}

// crowded returns what is closed when a small level has been built, nil if there is no
// need to wait for it.
func (s *settler) crowded() <-chan struct{} {
	c := s.capture
	c.device.engine.mu.Lock()
	defer c.device.engine.mu.Unlock()
	if !s.small || c.loop.total.Load() == s.began || idle(c.loop.plan.Load().loose) <= maxCrowd {
		return nil
	}
	return s.awaitBuilt()
}

// stir begins what there is to do. Engine.mu is held.
func (s *settler) stir() {
	s.cancel()
	c := s.capture
	if c.ctx.Err() != nil || c.ended {
		return
	}
	e := c.device.engine
	now := time.Now()
	for t := s.next(now); t != nil; t = s.next(now) {
		s.launch(t)
	}
	if wait := s.untilQuiet(now); wait > 0 {
		if len(c.loop.plan.Load().loose) > maxLoose {
			wait = min(wait, quietAfter)
		}
		e.tasks.Add(1)
		var timer *time.Timer
		timer = time.AfterFunc(wait, func() {
			defer e.tasks.Done()
			e.mu.Lock()
			defer e.mu.Unlock()
			s.wake(timer)
		})
		s.timer = timer
	}
}

// wake is called by a timer when it has been quiet. One that comes too late to be called
// off does nothing: there may be another by now. Engine.mu is held.
func (s *settler) wake(timer *time.Timer) {
	if s.timer == timer {
		s.stir()
	}
}

// cancel calls off what waits for quiet. A timer that has gone off is nobody's any more.
// Engine.mu is held.
func (s *settler) cancel() {
	if s.timer != nil && s.timer.Stop() {
		s.capture.device.engine.tasks.Done()
	}
	s.timer = nil
}

// next returns what is to be done now, nil when there is nothing, or when it is being
// done.
func (s *settler) next(now time.Time) *task {
	p := s.capture.loop.plan.Load()
	levels := s.free(p)
	// While all may not become one again, loose ones wait for quiet at most: packets may
	// come when flows do not.
	overdue := s.resume.After(now) && now.Sub(s.changed) >= quietAfter
	if !s.small && s.pressing(p.loose, overdue) {
		return s.task(p.loose, nil, false)
	}
	for tier, n := range tiers(levels) {
		if n < fanIn {
			continue
		}
		same := slices.DeleteFunc(slices.Clone(levels), func(lv *level) bool { return lv.tier() != tier })
		if !s.hinders(same) {
			return s.task(nil, same, isLarge(same))
		}
	}
	for _, lv := range levels {
		one := []*level{lv}
		if (lv.dead*2 > len(lv.chains) || lv.ripe(now)) && !s.hinders(one) {
			return s.task(nil, one, isLarge(one))
		}
	}
	if !s.small && !s.large && s.unsettled(p) && s.untilQuiet(now) == 0 {
		return s.taskOfAll(p)
	}
	return nil
}

// pressing reports whether loose chains cannot wait for quiet. Those of a file that
// nobody has started cost nothing.
func (s *settler) pressing(loose []*chain, overdue bool) bool {
	if !s.capture.started && !overdue {
		return false
	}
	n := idle(loose)
	return n > maxLoose && (n > maxIdle || overdue || s.busyLoop())
}

// settleFirst waits until the chains have settled that have gathered before the first
// packet, if they are very many, or the capture is to stop.
func (s *settler) settleFirst() {
	for range 3 { // a small and a large level are being built at most, then all become one
		built := s.gathered()
		if built == nil {
			return
		}
		select {
		case <-built:
		case <-s.capture.ctx.Done():
		}
	}
}

// gathered returns what is closed when the next level was built, nil if there is nothing
// to wait for. If none is being built, it begins one of all chains.
func (s *settler) gathered() <-chan struct{} {
	c := s.capture
	c.device.engine.mu.Lock()
	defer c.device.engine.mu.Unlock()
	p := c.loop.plan.Load()
	if c.ctx.Err() != nil || len(p.loose) <= maxIdle {
		return nil
	}
	if !s.small && !s.large {
		s.cancel()
		s.launch(s.taskOfAll(p))
	}
	return s.awaitBuilt()
}

// launch has a task done. Engine.mu is held.
func (s *settler) launch(t *task) {
	s.begin(t)
	s.capture.device.engine.tasks.Go(func() { s.build(t) })
}

// awaitBuilt returns what is closed when the next level was built. Engine.mu is held.
func (s *settler) awaitBuilt() <-chan struct{} {
	if s.built == nil {
		s.built = make(chan struct{})
	}
	return s.built
}

// busyLoop reports whether packets have come since it was last asked.
func (s *settler) busyLoop() bool {
	total := s.capture.loop.total.Load()
	busy := total != s.total
	s.total = total
	return busy
}

// idle counts the chains that are not being built into a level.
func idle(chains []*chain) (n int) {
	for _, c := range chains {
		if !c.moving {
			n++
		}
	}
	return n
}

// hinders reports whether a level is being built already as large as these together.
func (s *settler) hinders(levels []*level) bool {
	if isLarge(levels) {
		return s.large
	}
	return s.small
}

// isLarge reports whether a level of the chains of these takes long to build.
func isLarge(levels []*level) bool {
	n := 0
	for _, lv := range levels {
		n += len(lv.chains)
	}
	return n > largeLevel
}

// free returns the levels that are not being replaced.
func (s *settler) free(p *plan) []*level {
	return slices.DeleteFunc(slices.Clone(p.levels), func(lv *level) bool { return slices.Contains(s.busy, lv) })
}

// tier is the logarithm of the size of the level, to the base of about fanIn.
func (lv *level) tier() int { return bits.Len(uint(len(lv.chains)/maxLoose)) / bits.Len(fanIn-1) }

// tiers counts the levels of each tier.
func tiers(levels []*level) (counts [16]int) {
	for _, lv := range levels {
		counts[lv.tier()]++
	}
	return counts
}

// unsettled reports whether there is something to do once it is quiet.
func (s *settler) unsettled(p *plan) bool {
	n := len(p.levels)
	if len(p.loose) > 0 {
		n++
	}
	return n > 1 || len(p.levels) == 0 && n > 0 || len(p.levels) == 1 && len(p.levels[0].early) > 0
}

// untilQuiet returns how long to wait until all can become one level, 0 for not at all.
func (s *settler) untilQuiet(now time.Time) time.Duration {
	p := s.capture.loop.plan.Load()
	if s.small || s.large || !s.unsettled(p) {
		return 0
	}
	wait := max(0, s.changed.Add(quietAfter).Sub(now), s.resume.Sub(now))
	if wait > 0 {
		return wait
	}
	early := func(lv *level) bool { return len(lv.early) > 0 }
	if slices.ContainsFunc(p.levels, early) || slices.ContainsFunc(p.loose, func(c *chain) bool { return !c.isWhole(now) }) {
		return quietAfter
	}
	return 0
}

// ripe reports whether there were chains that could not be shared when the level was
// built, and now can. It looks from time to time only.
func (lv *level) ripe(now time.Time) bool {
	if len(lv.early) == 0 || now.Sub(lv.looked) < quietAfter/2 {
		return false
	}
	lv.looked = now
	return !slices.ContainsFunc(lv.early, func(c *chain) bool { return !c.isWhole(now) })
}

// isWhole reports whether all packets that come are for the chain.
func (c *chain) isWhole(now time.Time) bool {
	return c.whole.Load() || c.closed.Load() || now.After(c.deadline)
}
