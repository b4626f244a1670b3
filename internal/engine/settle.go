package engine

import "slices"

// waits tells that function a begins or ends to wait for the reader of its packet
// buffer. The readers of other buffers look up, for it may be one of them that
// has to read this one first. Those of closed flows may be gone.
func (l *loop) waits(a *applied, begin bool) {
	if !begin {
		l.setParked(nil)
		return
	}
	l.handAll()
	l.nudge(a) // before others may be closed
	l.setParked(a)
}

func (l *loop) nudge(but *applied) {
	for _, c := range l.plan.Load().chains {
		if c.closed.Load() {
			continue
		}
		for i := range c.steps {
			if s := &c.steps[i]; s.ring != nil && s.applied != but {
				s.ring.Nudge()
			}
		}
	}
}

// setParked tells that the loop waits in function a, or no more: meanwhile flows
// other than that of a can be closed.
func (l *loop) setParked(a *applied) {
	l.waiters.Lock()
	l.waiters.parked = a
	l.waiters.Broadcast()
	l.waiters.Unlock()
}

// parkedBeside reports whether the loop waits in a function that is not one of
// the flows'. The waiters' lock is held.
func (l *loop) parkedBeside(flows []*Flow) bool {
	a := l.waiters.parked
	if a == nil {
		return false
	}
	for _, f := range flows {
		if slices.Contains(f.functions, a) {
			return false
		}
	}
	return true
}

// leave ends a turn and wakes who waits for that.
func (l *loop) leave() {
	l.turn.Add(1)
	if l.waiters.count.Load() != 0 {
		l.waiters.Lock()
		l.waiters.Broadcast()
		l.waiters.Unlock()
	}
}

// abandon ends a turn, and a shift, that a panic has interrupted.
func (l *loop) abandon() {
	if l.shifts.Load()&1 == 1 {
		l.shifts.Add(1)
	}
	if l.turn.Load()&1 == 1 {
		l.leave()
	}
}

// settle returns when the loop does not come upon the flows any more, which the
// plan stored last does not have. It is for the control side and waits for one
// batch at most; not for a client that lets a capture file wait in another flow.
func (l *loop) settle(flows []*Flow) {
	turn := l.turn.Load()
	if turn&1 == 0 {
		return
	}
	l.waiters.count.Add(1)
	l.waiters.Lock()
	for l.turn.Load() == turn && !l.parkedBeside(flows) {
		l.waiters.Wait()
	}
	l.waiters.Unlock()
	l.waiters.count.Add(-1)
}

// pass returns when the loop does not look at plans of generation gen or later any more
// that were replaced. It is for the control side and waits for a batch, also for one that
// waits for a client, unless that runs on an older plan.
func (l *loop) pass(gen uint64) {
	turn := l.turn.Load()
	if turn&1 == 0 {
		return
	}
	l.waiters.count.Add(1)
	l.waiters.Lock()
	for l.turn.Load() == turn && (l.waiters.parked == nil || l.seen.Load() >= gen) {
		l.waiters.Wait()
	}
	l.waiters.Unlock()
	l.waiters.count.Add(-1)
}
