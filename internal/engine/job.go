package engine

import (
	"slices"
	"time"

	"gomapi/internal/chain"
	"gomapi/internal/compact"
	"gomapi/internal/segment"
)

// A job is a segment to be built, with its chains.
type job struct {
	*compact.Job
	chains   []segment.Candidate
	fresh    int // of chains: the first ones, which were in no segment
	types    []uint16
	replaces []*segment.Segment
}

// jobLocked makes a job for the policy's job, without chains that are closed or already
// being moved. Engine.mu is held.
func (c *compactor) jobLocked(wanted *compact.Job) *job {
	j := &job{Job: wanted, types: c.capture.linkTypes}
	now := time.Now()
	add := func(ch *chain.Chain) {
		if !ch.Moving && !ch.Closed() && !ch.PassedBy {
			j.chains = append(j.chains, candidate(ch, now))
		}
	}
	if wanted.Unmerged {
		for _, ch := range c.capture.loop.Unmerged() {
			add(ch)
		}
	}
	j.fresh = len(j.chains)
	segments := c.capture.loop.Segments()
	for _, i := range wanted.Segments {
		j.replaces = append(j.replaces, segments[i])
		for _, ch := range segments[i].Chains() {
			if segments[i].Has(ch) {
				add(ch)
			}
		}
	}
	return j
}

// candidate describes a chain for the segment that is to be built. One that the loop has yet to
// detach from its former segment is not shared.
func candidate(ch *chain.Chain, now time.Time) segment.Candidate {
	return segment.Candidate{
		Chain: ch, User: ch.Owner.(*Flow).session.user.account.Number,
		Alone: ch.Alone || ch.Detaching(), CaughtUp: ch.CaughtUp(now),
	}
}

// launchLocked runs a job on a separate goroutine. Engine.mu is held.
func (c *compactor) launchLocked(wanted *compact.Job) {
	j := c.beginLocked(wanted)
	c.capture.device.engine.tasks.Go(func() { c.run(j) })
}

// beginLocked notes that a job has begun. Engine.mu is held.
func (c *compactor) beginLocked(wanted *compact.Job) *job {
	j := c.jobLocked(wanted)
	c.busy = append(c.busy, j.replaces...)
	j.markLocked(true)
	if j.Large {
		c.building.Large = true
	} else {
		c.building.Small = true
		c.began, _ = c.capture.loop.Total()
	}
	return j
}

// endLocked notes that a job has ended. Engine.mu is held.
func (c *compactor) endLocked(j *job) {
	j.markLocked(false)
	c.busy = slices.DeleteFunc(c.busy, func(s *segment.Segment) bool { return slices.Contains(j.replaces, s) })
	if j.Large {
		c.building.Large = false
	} else {
		c.building.Small = false
	}
	if c.built != nil {
		close(c.built)
		c.built = nil
	}
}

// markLocked notes that the chains are being moved, or no longer. Engine.mu is held.
func (j *job) markLocked(moving bool) {
	for _, c := range j.chains {
		c.Chain.Moving = moving
	}
}

// run builds a segment and puts it into the plan, unless the capture has stopped or the link
// types have changed meanwhile.
func (c *compactor) run(j *job) {
	capture, e := c.capture, c.capture.device.engine
	endBuilding := capture.beginBuilding()
	start := time.Now()
	var s *segment.Segment
	if capture.ctx.Err() == nil {
		_ = report(capture.device.log).safely("merging flows", func() error { s = segment.Build(j.chains, j.types, capture.device.log); return nil }) // logged
	}
	endBuilding()
	end := time.Now()
	j.chargeBuilding(capture, end.Sub(start))
	e.mu.Lock()
	c.endLocked(j)
	if s == nil {
		e.mu.Unlock()
		return // the chains stay where they are
	}
	if j.All {
		c.resume = end.Add(compact.Rest(end.Sub(start)))
	}
	unused := []*segment.Segment{s}
	if j.holdsLocked(capture) {
		capture.loop.Merge(s, j.replaces)
		unused = j.replaces
	}
	c.stirLocked()
	e.mu.Unlock()
	capture.free(unused)
	e.mu.Lock()
	defer e.mu.Unlock()
	s.Fold()
}

// holdsLocked reports whether the job is still valid: the capture runs, and the link types
// are the same. Engine.mu is held.
func (j *job) holdsLocked(c *capture) bool {
	return c.ctx.Err() == nil && len(j.types) == len(c.linkTypes)
}

// beginBuilding waits until a segment may be built, or the capture must stop. A live device never
// waits. A user may have many files: their segments must not take the processors from live devices.
func (c *capture) beginBuilding() (end func()) {
	if c.device.owner != nil {
		if end, err := c.device.engine.turns.building.Enter(c.ctx, c.device.owner.payer()); err == nil {
			return end
		}
	}
	return func() {}
}

// chargeBuilding charges the building of a live device's segment. Each chain costs an equal part of
// the time. The users of new chains pay theirs; nobody pays for chains that are built once more.
func (j *job) chargeBuilding(c *capture, took time.Duration) {
	if c.device.owner != nil {
		return // its owner has paid
	}
	fresh := make(map[string]time.Duration)
	for _, ch := range j.chains[:j.fresh] {
		fresh[ch.Chain.Owner.(*Flow).session.payer()]++
	}
	for user, n := range fresh {
		c.device.engine.turns.spent.Charge(user, took*n/time.Duration(len(j.chains)))
	}
}
