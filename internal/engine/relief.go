package engine

import (
	"time"

	"gomapi/internal/chain"
	"gomapi/internal/compact"
	"gomapi/internal/segment"
	"gomapi/internal/share"
)

const (
	reliefTick = 20 * time.Millisecond  // between two looks at a device that fills
	returnTick = 100 * time.Millisecond // between two attempts to let a share come back
	reliefLog  = time.Minute            // minimum time between two lines of the log on a user
)

// joinLocked counts one more connected flow. If those of its user are passed by, it is too.
// Engine.mu is held.
func (c *capture) joinLocked(st *stake, ch *chain.Chain) {
	st.flows++
	if !c.relieving && c.device.owner == nil && c.from == nil && c.ctx.Err() == nil {
		c.relieving = true
		c.helpers.Go(c.relieve)
	}
	c.loop.SetRivals(len(c.rivalsLocked()) > 1)
	if st.Passed() {
		c.loop.PassBy([]*chain.Chain{ch})
	}
}

// leaveLocked counts one flow less. Engine.mu is held.
func (c *capture) leaveLocked(s *Session) {
	c.stakeLocked(s).flows--
	c.dropStakesLocked(time.Now())
	c.loop.SetRivals(len(c.rivalsLocked()) > 1)
}

// rivalsLocked returns the shares with flows that are not passed by. Engine.mu is held.
func (c *capture) rivalsLocked() (shares []*share.Share) {
	for _, st := range c.stakes {
		if st.flows > 0 && !st.Passed() {
			shares = append(shares, st.Share)
		}
	}
	return shares
}

// passedBy returns how many flows are passed by.
func (c *capture) passedBy() (n uint64) {
	c.device.engine.mu.Lock()
	defer c.device.engine.mu.Unlock()
	for payer, st := range c.stakes {
		if above := c.reader().stakes[payer]; st.Passed() || above != nil && above.Passed() {
			n += uint64(st.flows)
		}
	}
	return n
}

// relieve passes flows by while a live device is too slow. It sleeps until the device fills,
// or until a share may come back.
func (c *capture) relieve() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var policy share.Policy
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-c.filling:
		case <-timer.C:
		}
		if wait := c.relief(&policy); wait > 0 {
			timer.Reset(wait)
		} else {
			timer.Stop()
		}
	}
}

// relief looks at the device once and returns when to look again, 0: when it fills.
func (c *capture) relief(policy *share.Policy) time.Duration {
	now, full := time.Now(), c.loop.Fullness()
	wait := c.bringBack(now, full)
	switch {
	case c.over():
		return 0
	case full >= share.Filling:
		if st := c.passDearest(policy, now, full); st != nil {
			c.tellPassed(st, now)
		}
		return reliefTick
	}
	policy.Restart()
	c.loop.Watch()
	return wait
}

// passDearest passes a share by if the policy says so, and returns it.
func (c *capture) passDearest(policy *share.Policy, now time.Time, full int) *stake {
	e := c.device.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if !c.loop.Passing() {
		policy.Restart()
		return nil
	}
	s := policy.Look(share.Reading{Now: now, Fullness: full, Total: c.loop.Cost(), Shares: c.rivalsLocked()})
	for _, st := range c.stakes {
		if st.Share == s {
			s.Pass(now)
			c.loop.PassBy(c.chainsLocked(s))
			c.stakesChangedLocked()
			return st
		}
	}
	return nil
}

// chainsLocked returns the chains of a share. Engine.mu is held.
func (c *capture) chainsLocked(s *share.Share) (chains []*chain.Chain) {
	for _, ch := range c.loop.Chains() {
		if ch.Share == s {
			chains = append(chains, ch)
		}
	}
	return chains
}

// stakesChangedLocked follows a change of the shares that are passed by. Engine.mu is held.
func (c *capture) stakesChangedLocked() {
	for _, a := range c.analysers {
		a.reviseLocked()
	}
	c.loop.SetRivals(len(c.rivalsLocked()) > 1)
	c.compactor.stirLocked()
}

// tellPassed logs that flows are passed by, from time to time.
func (c *capture) tellPassed(st *stake, now time.Time) {
	st.times++
	if now.Sub(st.told) < reliefLog {
		return
	}
	c.device.engine.logFor(st.user, "device %s is too slow, and the flows of %s take most of its time: they are passed by for %v (%d times since this was last said)",
		c.device.spec.Name, st.user, st.Left(now), st.times)
	st.told, st.times = now, 0
}

// bringBack lets shares come back whose term is over, if the device is empty. It returns when to
// try again, 0: when it fills.
func (c *capture) bringBack(now time.Time, full int) (wait time.Duration) {
	e := c.device.engine
	e.mu.Lock()
	var due []*stake
	for _, st := range c.stakes {
		switch left := st.Left(now); {
		case !st.Passed():
		case left == 0:
			due = append(due, st)
		case wait == 0 || left < wait:
			wait = left
		}
	}
	ready := full <= share.Empty && c.loop.Left()
	e.mu.Unlock()
	for _, st := range due {
		if !ready || !c.bringBackOne(st, now) {
			wait = returnTick
		}
	}
	return wait
}

// bringBackOne builds a segment of the chains of a share, if they are many, and puts them into
// the plan again. It returns false if the plan has changed meanwhile.
func (c *capture) bringBackOne(st *stake, now time.Time) bool {
	e := c.device.engine
	var candidates []segment.Candidate
	e.mu.Lock()
	types, moving := c.linkTypes, false
	for _, ch := range c.chainsLocked(st.Share) {
		candidates = append(candidates, candidate(ch, now))
		moving = moving || ch.Moving
	}
	e.mu.Unlock()
	if moving {
		return false
	}
	var s *segment.Segment
	if len(candidates) > compact.MaxUnmerged {
		_ = report(c.device.log).safely("merging flows", func() error { s = segment.Build(candidates, types, c.device.log); return nil }) // logged
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.ctx.Err() != nil || c.ended || len(types) != len(c.linkTypes) {
		if s != nil {
			s.Close()
		}
		return false
	}
	st.Return(now)
	c.dropStakesLocked(now)
	c.loop.Return(c.chainsLocked(st.Share), s)
	c.stakesChangedLocked()
	return true
}
