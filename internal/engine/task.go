package engine

import (
	"slices"
	"time"
)

// A task is a level to be built.
type task struct {
	chains   []settling
	types    []uint16
	replaces []*level
	large    bool // it holds up large ones, else small ones
	all      bool // of the capture
}

// task makes the task of settling loose chains and those of levels, but for those that
// are on their way already.
func (s *settler) task(loose []*chain, levels []*level, large bool) *task {
	t := &task{types: s.capture.linkTypes, replaces: levels, large: large}
	now := time.Now()
	add := func(c *chain) {
		if !c.moving && !c.closed.Load() {
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

// taskOfAll makes all chains one level.
func (s *settler) taskOfAll(p *plan) *task {
	t := s.task(p.loose, p.levels, true)
	t.all = true
	return t
}

func (s *settler) begin(t *task) {
	s.busy = append(s.busy, t.replaces...)
	t.mark(true)
	if t.large {
		s.large = true
	} else {
		s.small, s.began = true, s.capture.loop.total.Load()
	}
}

func (s *settler) end(t *task) {
	t.mark(false)
	s.busy = slices.DeleteFunc(s.busy, func(lv *level) bool { return slices.Contains(t.replaces, lv) })
	if t.large {
		s.large = false
	} else {
		s.small = false
	}
	if s.built != nil {
		close(s.built)
		s.built = nil
	}
}

// mark notes that the chains begin or end to move. Engine.mu is held.
func (t *task) mark(moving bool) {
	for _, s := range t.chains {
		s.chain.moving = moving
	}
}

// build builds a level and puts it into the plan, unless the plan is not any more
// what it was built for.
func (s *settler) build(t *task) {
	c, e := s.capture, s.capture.device.engine
	c.beginBuilding()
	start := time.Now()
	var lv *level
	if c.ctx.Err() == nil {
		_ = e.safely("settling flows", func() error { lv = t.level(e.opts.Log); return nil }) // logged
	}
	c.endBuilding()
	e.mu.Lock()
	s.end(t)
	if lv == nil {
		e.mu.Unlock()
		return // the chains go on where they are
	}
	if end := time.Now(); t.all {
		s.resume = end.Add(restFactor * end.Sub(start))
	}
	unused := []*level{lv}
	if t.holds(c) {
		c.settle(t, lv)
		unused = t.replaces
	}
	s.stir()
	e.mu.Unlock()
	c.loop.free(unused)
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, sh := range lv.shares {
		if sh.chain.share.Load() == sh { // else another has the older ones
			sh.sweep()
		}
	}
}

// beginBuilding waits until a level can be built. Live devices are few, but a user can
// have many files, whose levels must not take the processors from the live devices.
func (c *capture) beginBuilding() {
	if owner := c.device.owner; owner != nil {
		owner.user.building <- struct{}{}
	}
}

func (c *capture) endBuilding() {
	if owner := c.device.owner; owner != nil {
		<-owner.user.building
	}
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
	s.capture.device.engine.tasks.Go(func() { s.capture.loop.free(levels) })
}

// free frees what levels have besides Go's memory. The newest plan does not have them.
func (l *loop) free(levels []*level) {
	for _, lv := range levels {
		l.pass(lv.born)
		if !lv.begun.Load() {
			lv.settled.Store(true) // the loop will not turn to it any more
		}
		lv.answers.close()
	}
}

// holds reports whether the filters are still those that the task was made for. Engine.mu
// is held.
func (t *task) holds(c *capture) bool {
	return c.ctx.Err() == nil && len(t.types) == len(c.linkTypes)
}

// settle publishes a plan with a new level. Chains that were shared when it was built and
// whose results are read by others since then leave it at once. Engine.mu is held.
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
		sh.enter()
	}
	c.publish(func(next *plan) {
		lv.born = next.gen
		next.settle(lv, t.replaces)
		for _, sh := range lv.shares {
			if sh.chain.alone {
				c.bind(next, sh.chain, false)
			}
		}
	})
}
