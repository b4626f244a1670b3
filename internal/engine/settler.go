package engine

import (
	"cmp"
	"slices"
	"time"
)

// A settler moves the chains of a capture from loose into levels, and small levels
// into large ones: their number stays about the logarithm of that of the chains, and
// becomes one when all is quiet. Building a level takes up to seconds. Each is built by
// a goroutine of its own, a small one and a large one at a time, so that chains are
// not loose for long. All of it is guarded by Engine.mu.
type settler struct {
	capture *capture
	small   bool          // a level is being built of which chains are loose
	large   bool          // one is being built of larger levels
	busy    []*level      // they are being replaced
	changed time.Time     // of the last connect
	cost    time.Duration // of building, for one chain
	timer   *time.Timer   // comes back when it has been quiet; nil: no need
}

const (
	maxLoose    = 8                      // chains that may stay loose while flows come
	largeLevel  = 1024                   // chains of a level that does not hold up loose ones
	quietAfter  = 100 * time.Millisecond // without a connect
	quietFactor = 8                      // time without a connect, in costs of what then is done
)

// A task is a level to be built.
type task struct {
	chains   []settling
	types    []uint16
	replaces []*level
	large    bool
}

// connected tells that a chain came. Engine.mu is held.
func (s *settler) connected() {
	s.changed = time.Now()
	s.stir()
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
		s.begin(t)
		e.tasks.Add(1)
		go func() {
			defer e.tasks.Done()
			s.build(t)
		}()
	}
	if wait := s.untilQuiet(now); wait > 0 {
		e.tasks.Add(1)
		s.timer = time.AfterFunc(wait, func() {
			defer e.tasks.Done()
			e.mu.Lock()
			defer e.mu.Unlock()
			s.timer = nil
			s.stir()
		})
	}
}

// cancel calls off what waits for quiet. Engine.mu is held.
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
	if !s.small && len(p.loose) > maxLoose {
		return s.task(p.loose, fitting(levels, len(p.loose), largeLevel-len(p.loose)), false)
	}
	if s.large {
		return nil
	}
	if len(levels) > 1 {
		if merge := fitting(levels[1:], len(levels[0].chains), len(p.chains)); len(merge) > 0 {
			return s.task(nil, append(merge, levels[0]), true)
		}
	}
	for _, lv := range levels {
		if lv.dead*2 > len(lv.chains) || lv.ripe(now) {
			return s.task(nil, []*level{lv}, true)
		}
	}
	if s.unsettled(p) && s.untilQuiet(now) == 0 && !s.small {
		return s.task(p.loose, levels, true)
	}
	return nil
}

// free returns the levels that are not being replaced, by size.
func (s *settler) free(p *plan) []*level {
	levels := slices.DeleteFunc(slices.Clone(p.levels), func(lv *level) bool { return slices.Contains(s.busy, lv) })
	slices.SortFunc(levels, func(a, b *level) int { return cmp.Compare(len(a.chains), len(b.chains)) })
	return levels
}

// fitting returns those of the first levels that are to become one with n chains, at most
// room more: none is more than twice as large as what it is added to.
func fitting(levels []*level, n, room int) []*level {
	i := 0
	for i < len(levels) && len(levels[i].chains) <= 2*n && len(levels[i].chains) <= room {
		n, room = n+len(levels[i].chains), room-len(levels[i].chains)
		i++
	}
	return slices.Clone(levels[:i])
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
	quiet := max(quietAfter, quietFactor*s.cost*time.Duration(len(p.chains)))
	wait := max(0, s.changed.Add(quiet).Sub(now))
	early := func(lv *level) bool { return len(lv.early) > 0 }
	if slices.ContainsFunc(p.levels, early) || slices.ContainsFunc(p.loose, func(c *chain) bool { return !c.isWhole(now) }) {
		return quietAfter
	}
	return wait
}

// ripe reports whether there were chains that could not be shared when the level was
// built, and now can.
func (lv *level) ripe(now time.Time) bool {
	return len(lv.early) > 0 && !slices.ContainsFunc(lv.early, func(c *chain) bool { return !c.isWhole(now) })
}

// isWhole reports whether all packets that come are for the chain.
func (c *chain) isWhole(now time.Time) bool {
	return c.whole.Load() || c.closed.Load() || now.After(c.deadline)
}

// task makes the task of settling loose chains and those of levels.
func (s *settler) task(loose []*chain, levels []*level, large bool) *task {
	t := &task{types: s.capture.linkTypes, replaces: levels, large: large}
	now := time.Now()
	add := func(c *chain) {
		if !c.closed.Load() {
			t.chains = append(t.chains, settling{c, c.alone, c.isWhole(now)})
		}
	}
	for _, c := range loose {
		add(c)
	}
	for _, lv := range levels {
		for _, c := range lv.chains {
			if c.level == lv {
				add(c)
			}
		}
	}
	return t
}

func (s *settler) begin(t *task) {
	s.busy = append(s.busy, t.replaces...)
	if t.large {
		s.large = true
	} else {
		s.small = true
	}
}

func (s *settler) end(t *task) {
	s.busy = slices.DeleteFunc(s.busy, func(lv *level) bool { return slices.Contains(t.replaces, lv) })
	if t.large {
		s.large = false
	} else {
		s.small = false
	}
}

// build builds a level and puts it into the plan, unless the plan is not any more
// what it was built for.
func (s *settler) build(t *task) {
	start := time.Now()
	var lv *level
	c, e := s.capture, s.capture.device.engine
	_ = e.safely("settling flows", func() error { lv = t.level(e.opts.Log); return nil }) // logged
	e.mu.Lock()
	s.end(t)
	if lv == nil {
		e.mu.Unlock()
		return // the chains go on where they are
	}
	s.cost = time.Since(start) / time.Duration(len(t.chains)+1)
	unused := []*level{lv}
	if t.holds(c) {
		c.settle(t, lv)
		unused = t.replaces
	}
	s.stir()
	e.mu.Unlock()
	c.loop.pass()
	closeLevels(unused)
}

// level builds the level. Strings for which there can be no common search are searched
// for one by one.
func (t *task) level(log func(format string, args ...any)) *level {
	lv, err := newLevel(t.chains, t.types, true)
	if err != nil {
		log("the strings of %d flows are searched for one by one: %v", len(t.chains), err)
		lv, _ = newLevel(t.chains, t.types, false)
	}
	return lv
}

// retire frees levels that the plan does not have any more. Engine.mu is held.
func (s *settler) retire(levels []*level) {
	e := s.capture.device.engine
	e.tasks.Go(func() {
		s.capture.loop.pass()
		closeLevels(levels)
	})
}

// closeLevels frees what levels have besides Go's memory. The loop has passed the plan
// that had them.
func closeLevels(levels []*level) {
	for _, lv := range levels {
		lv.answers.close()
	}
}

// holds reports whether the plan is still what the task was made for. Engine.mu is held.
func (t *task) holds(c *capture) bool {
	if c.ctx.Err() != nil || len(t.types) != len(c.linkTypes) {
		return false
	}
	return !slices.ContainsFunc(t.chains, func(s settling) bool { return s.alone != s.chain.alone })
}

// settle publishes a plan with a new level. Engine.mu is held.
func (c *capture) settle(t *task, lv *level) {
	for _, s := range t.chains {
		s.chain.level, s.chain.shares = lv, false
		switch {
		case s.chain.closed.Load():
			lv.dead++
		case !s.whole:
			lv.early = append(lv.early, s.chain)
		}
	}
	for _, sh := range lv.shares {
		sh.chain.shares = true
	}
	c.publish(func(next *plan) { next.settle(lv, t.replaces) })
}
