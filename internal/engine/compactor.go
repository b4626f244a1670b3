package engine

import (
	"context"
	"slices"
	"time"

	"gomapi/internal/chain"
	"gomapi/internal/compact"
	"gomapi/internal/segment"
)

// A compactor moves the chains of a capture into segments, and segments into larger ones,
// when package compact decides so. A separate goroutine builds each segment. Engine.mu
// guards the compactor.
type compactor struct {
	capture  *capture
	told     compact.State // last state for the policy; its memory is reused
	unmerged unmerged      // likewise
	building compact.Building
	busy     []*segment.Segment // segments being replaced
	changed  time.Time          // of the last connect
	resume   time.Time          // earliest time at which all may become one again
	asked    uint64             // packet count when a small segment was last considered
	timer    *time.Timer        // calls stirLocked after a while; nil: not set
	began    uint64             // packet count when the last small segment was begun
	built    chan struct{}      // closed when the next segment is built; nil: nobody waits
}

// crowdWait limits how long a connect waits for a segment.
const crowdWait = 100 * time.Millisecond

// connectedLocked notes that a chain was connected. Engine.mu is held.
func (c *compactor) connectedLocked() {
	c.changed = time.Now()
	c.stirLocked()
}

// stirLocked asks the policy and launches the jobs that it returns. Engine.mu is held.
func (c *compactor) stirLocked() {
	c.cancelLocked()
	if c.capture.ctx.Err() != nil || c.capture.ended {
		return
	}
	now := time.Now()
	for _, s := range c.capture.loop.Segments() {
		s.LookForRipe(now)
	}
	state := c.stateLocked(now)
	job, wait := compact.Next(state, now)
	if !c.building.Small && state.Unmerged.Len() > compact.MaxUnmerged {
		c.asked, _ = c.capture.loop.Total()
	}
	for ; job != nil; job, wait = compact.Next(c.stateLocked(now), now) {
		c.launchLocked(job)
	}
	if wait > 0 {
		c.wakeAfterLocked(wait)
	}
}

// stateLocked returns the state for the policy, valid until the next call. Engine.mu is held.
func (c *compactor) stateLocked(now time.Time) *compact.State {
	loop := c.capture.loop
	total, _ := loop.Total()
	c.unmerged = unmerged{loop.Unmerged(), now}
	segments := c.told.Segments[:0]
	for _, g := range loop.Segments() {
		segments = append(segments, compact.Segment{
			Chains: len(g.Chains()), Gone: g.Gone, Early: g.Early() > 0, Ripe: g.Ripe(), Passed: g.Passed, Busy: slices.Contains(c.busy, g),
		})
	}
	c.told = compact.State{
		Started: c.capture.started, Traffic: total != c.asked, Unmerged: &c.unmerged, Segments: segments,
		Building: c.building, Changed: c.changed, Resume: c.resume,
	}
	return &c.told
}

// unmerged implements compact.Unmerged.
type unmerged struct {
	chains []*chain.Chain
	now    time.Time
}

func (u *unmerged) Len() int { return len(u.chains) }

func (u *unmerged) Idle() (n int) {
	for _, c := range u.chains {
		if !c.Moving {
			n++
		}
	}
	return n
}

func (u *unmerged) CaughtUp() bool {
	return !slices.ContainsFunc(u.chains, func(c *chain.Chain) bool { return !c.CaughtUp(u.now) })
}

// wakeAfterLocked sets the timer to ask the policy again. Engine.mu is held.
func (c *compactor) wakeAfterLocked(wait time.Duration) {
	e := c.capture.device.engine
	e.tasks.Add(1)
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		defer e.tasks.Done()
		e.mu.Lock()
		defer e.mu.Unlock()
		c.wakeLocked(timer)
	})
	c.timer = timer
}

// wakeLocked runs when a timer fires. A timer that was replaced or canceled too late does
// nothing. Engine.mu is held.
func (c *compactor) wakeLocked(timer *time.Timer) {
	if c.timer == timer {
		c.stirLocked()
	}
}

// cancelLocked cancels the timer. One that has fired already does nothing in wakeLocked.
// Engine.mu is held.
func (c *compactor) cancelLocked() {
	if c.timer != nil && c.timer.Stop() {
		c.capture.device.engine.tasks.Done()
	}
	c.timer = nil
}

// keepUp delays a connect while packets come and many chains are unmerged, because each
// unmerged chain costs time for every packet. It waits until a small segment that is being
// built takes them up, for crowdWait at most.
func (c *compactor) keepUp(ctx context.Context) {
	built := c.crowded()
	if built == nil {
		return
	}
	wait, cancel := context.WithTimeout(ctx, crowdWait)
	defer cancel()
	for ; built != nil && wait.Err() == nil; built = c.crowded() {
		select {
		case <-built:
		case <-wait.Done():
		}
	}
}

// crowded returns a channel that is closed when the next segment is built, nil if keepUp need
// not wait.
func (c *compactor) crowded() <-chan struct{} {
	c.capture.device.engine.mu.Lock()
	defer c.capture.device.engine.mu.Unlock()
	if total, _ := c.capture.loop.Total(); total == c.began || !c.stateLocked(time.Now()).Crowded() {
		return nil
	}
	return c.awaitBuiltLocked()
}

// mergeFirst delays the first packet if very many chains are unmerged. It waits until they
// are in segments, or the capture must stop.
func (c *compactor) mergeFirst() {
	for range 3 { // at most a small and a large segment under way, then one of all
		built := c.gathered()
		if built == nil {
			return
		}
		select {
		case <-built:
		case <-c.capture.ctx.Done():
		}
	}
}

// gathered returns a channel that is closed when the next segment is built, nil if mergeFirst
// need not wait. If no segment is being built, it begins one of all chains.
func (c *compactor) gathered() <-chan struct{} {
	c.capture.device.engine.mu.Lock()
	defer c.capture.device.engine.mu.Unlock()
	if c.capture.ctx.Err() != nil {
		return nil
	}
	job, wait := compact.First(c.stateLocked(time.Now()))
	if !wait {
		return nil
	}
	if job != nil {
		c.cancelLocked()
		c.launchLocked(job)
	}
	return c.awaitBuiltLocked()
}

// awaitBuiltLocked returns a channel that is closed when the next segment is built. Engine.mu
// is held.
func (c *compactor) awaitBuiltLocked() <-chan struct{} {
	if c.built == nil {
		c.built = make(chan struct{})
	}
	return c.built
}
