package engine

import (
	"time"

	"gomapi/internal/mapierr"
	"gomapi/internal/policy"
)

// SetPolicy replaces the policy. Connected flows that their sessions may not have any more end with
// 3139 and the reason; their results stay readable. SetPolicy returns their number, when no packet
// reaches them any more.
func (e *Engine) SetPolicy(p *policy.Policy) (ended int) {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return 0
	}
	e.tasks.Add(1) // Close waits
	defer e.tasks.Done()
	e.policy = p
	lost := make(map[*capture][]*Flow)
	for s := range e.sessions {
		if s.authorizeLocked(); s.Rights() == nil {
			continue
		}
		for f := range s.flows.all() {
			if f.status == FlowActive && f.lostRightLocked() != nil {
				lost[f.capture] = append(lost[f.capture], f)
			}
		}
	}
	e.mu.Unlock()
	for c, flows := range lost {
		ended += c.revoke(flows)
	}
	return ended
}

// revoke ends the flows that have lost their right, and returns how many there were.
func (c *capture) revoke(flows []*Flow) int {
	for _, f := range flows {
		f.session.interrupt(f.functions) // a file may wait for a program in the middle of a batch
	}
	e, ended := c.device.engine, []*Flow(nil)
	c.loop.Resting(func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		now := time.Now()
		for _, f := range flows {
			reason := f.lostRightLocked()
			if f.status != FlowActive || reason == nil {
				continue // closed or granted meanwhile
			}
			f.err = mapierr.Wrap(mapierr.NotAuthenticated, "the flow has lost its right", reason)
			f.chain.Revoke(f.err)
			f.endRings()
			f.finishedLocked(now)
			ended = append(ended, f)
		}
		c.compactor.stirLocked()
	})
	for _, f := range ended {
		f.session.log("flow %d on %s has ended: %v", f.id, c.device.spec.Name, f.err)
		f.session.notify(Ended{Device: c.device.spec.Name, FD: f.fd, Err: f.err})
	}
	return len(ended)
}
