package engine

import "time"

// Bounds of what each level hands on at a time, in instances of branches and as many
// members with ledgers.
const (
	sumsPerBatch = 16  // after a batch of a file
	sumsPerPause = 32  // if no more wait, at a pause
	sumsPerRound = 512 // else, in a round
)

// together is how many results are looked at before they are added to.
const together = 16

// roundStep is the time between pauses in a round, if no packet comes.
const roundStep = time.Millisecond

// A round hands all instances their sums that were owed when it began, in pieces, so
// that no packet waits for long.
type rounds struct {
	left   int       // to be handed in this one
	total  uint64    // packets when it began
	last   time.Time // when one ended
	newest uint64    // time stamp then
}

// rushRound is the time of packets after which a live device that never pauses has a
// round, in 2^-32 seconds.
const rushRound = 1 << 31

// handOn hands on some of the sums after a batch: of a file a few each time, which has no
// pauses.
func (l *loop) handOn() {
	r := &l.rounds
	if l.capture.device.owner != nil {
		l.hand(sumsPerBatch)
		return
	}
	if r.left == 0 && l.newest-r.newest > rushRound {
		r.left, r.newest = l.owes(), l.newest
	}
	if r.left > 0 {
		l.hand(sumsPerRound)
		r.left = max(0, r.left-sumsPerRound)
	}
}

// Pause implements drivers.Sink.
func (l *loop) Pause(lag time.Duration) (again time.Time) {
	l.turn.Add(1)
	if lag == 0 {
		l.handAll()
	} else {
		again = l.handSome(lag)
	}
	l.leave()
	return again
}

// handSome hands on some of the sums. It returns when to hand on more, the zero time if
// there are none.
func (l *loop) handSome(lag time.Duration) time.Time {
	r, now := &l.rounds, time.Now()
	if r.left == 0 && now.Sub(r.last) >= lag {
		r.left, r.total = l.owes(), l.total.Load()
	}
	if r.left > 0 {
		l.hand(sumsPerRound)
		r.left = max(0, r.left-sumsPerRound)
		r.last, r.newest = now, l.newest
	} else if l.owes() <= sumsPerPause {
		l.hand(sumsPerPause)
	}
	owes := l.owes()
	switch {
	case owes == 0:
		r.left = 0
		return time.Time{}
	case r.left == 0 && r.total == l.total.Load():
		r.left = owes // nothing came since: some were handed an older sum before
		return now.Add(roundStep)
	case r.left > 0:
		return now.Add(roundStep)
	}
	return r.last.Add(lag)
}

// hand gives up to so many instances of each level their sums.
func (l *loop) hand(n int) {
	for _, lv := range l.levels {
		lv.hand(n)
	}
	if len(l.ended) > 0 {
		l.handEnded(n)
	}
}

// handEnded does so for levels that have ended, and forgets those that are done.
func (l *loop) handEnded(n int) {
	left := l.ended[:0]
	for _, lv := range l.ended {
		if lv.hand(n); lv.owes() > 0 {
			left = append(left, lv)
		} else {
			lv.settled.Store(true)
		}
	}
	clear(l.ended[len(left):])
	l.ended = left
}

// owes returns how many instances were not handed theirs.
func (l *loop) owes() (n int) {
	for _, lv := range l.levels {
		n += lv.owes()
	}
	for _, lv := range l.ended {
		n += lv.owes()
	}
	return n
}

// handAll makes all results what the packets so far have made of them.
func (l *loop) handAll() {
	for _, lv := range l.levels {
		lv.handAll()
	}
	for _, lv := range l.ended {
		lv.handAll()
	}
}
