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
// when package compact says so. Each is built by a goroutine of its own. All of it is
// guarded by Engine.mu.
type compactor struct {
	capture  *capture
	told     compact.State // what the policy was told last; its memory is used again
	unmerged unmerged      // likewise
	building compact.Building
	busy     []*segment.Segment // they are being replaced
	changed  time.Time          // of the last connect
	resume   time.Time          // not before then all become one again
	asked    uint64             // packets, when it was last asked for a small segment
	timer    *time.Timer        // comes back when it has been quiet; nil: no need
	began    uint64             // packets, when a small segment was begun
	built    chan struct{}      // closed when the next segment was built; nil: nobody waits
}

// crowdWait bounds how long who connects waits for a segment.
const crowdWait = 100 * time.Millisecond

// connectedLocked tells that a chain came. Engine.mu is held.
func (c *compactor) connectedLocked() {
	c.changed = time.Now()
	c.stirLocked()
}

// stirLocked begins what there is to do. Engine.mu is held.
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

// stateLocked is what the policy has to know, until the next call. Engine.mu is held.
func (c *compactor) stateLocked(now time.Time) *compact.State {
	loop := c.capture.loop
	total, _ := loop.Total()
	c.unmerged = unmerged{loop.Unmerged(), now}
	segments := c.told.Segments[:0]
	for _, g := range loop.Segments() {
		segments = append(segments, compact.Segment{
			Chains: len(g.Chains()), Gone: g.Gone, Early: g.Early() > 0, Ripe: g.Ripe(), Busy: slices.Contains(c.busy, g),
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

// wakeAfterLocked has the policy asked again after a while. Engine.mu is held.
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

// wakeLocked is called by a timer when it has been quiet. One that comes too late to be called
// off does nothing: there may be another by now. Engine.mu is held.
func (c *compactor) wakeLocked(timer *time.Timer) {
	if c.timer == timer {
		c.stirLocked()
	}
}

// cancelLocked calls off what waits for quiet. A timer that has gone off is nobody's any more.
// Engine.mu is held.
func (c *compactor) cancelLocked() {
	if c.timer != nil && c.timer.Stop() {
		c.capture.device.engine.tasks.Done()
	}
	c.timer = nil
}

// keepUp holds up who has connected while packets come and many chains are unmerged, each
// of which costs every packet: until a small segment that is being built takes them up.
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

// crowded returns what is closed when the next segment was built, nil if there is no
// need to wait for it.
func (c *compactor) crowded() <-chan struct{} {
	c.capture.device.engine.mu.Lock()
	defer c.capture.device.engine.mu.Unlock()
	if total, _ := c.capture.loop.Total(); total == c.began || !compact.Crowded(c.stateLocked(time.Now())) {
		return nil
	}
	return c.awaitBuiltLocked()
}

// mergeFirst waits until the chains are in segments that have gathered before the first
// packet, if they are very many, or the capture is to stop.
func (c *compactor) mergeFirst() {
	for range 3 { // a small and a large segment are being built at most, then all become one
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

// gathered returns what is closed when the next segment was built, nil if there is nothing
// to wait for. If none is being built, it begins one of all chains.
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

// awaitBuiltLocked returns what is closed when the next segment was built. Engine.mu is held.
func (c *compactor) awaitBuiltLocked() <-chan struct{} {
	if c.built == nil {
		c.built = make(chan struct{})
	}
	return c.built
}
