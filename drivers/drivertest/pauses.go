package drivertest

import (
	"math"
	"testing"
	"time"
)

// A ticker asks for some more pauses, one after the other, and then for none.
type ticker struct {
	due     time.Time // of the next pause
	ticks   int       // pauses that came when they were due, or later
	early   int       // pauses that came before
	late    time.Duration
	idle    int           // pauses after the last tick
	stopped chan struct{} // closed after the last tick
}

func newTicker() *ticker { return &ticker{late: math.MaxInt64, stopped: make(chan struct{})} }

const (
	ticks    = 5
	tickTime = 20 * time.Millisecond
	// A device may be woken for reasons of its own, but it must not poll.
	mostEarly = 50
	mostIdle  = 5
	// mostLate applies to the most punctual tick, because the machine may be busy.
	mostLate = time.Second
)

func (k *ticker) pause(now time.Time) time.Time {
	switch {
	case k.ticks == ticks:
		k.idle++
		return time.Time{}
	case now.Before(k.due):
		k.early++
		return k.due
	case !k.due.IsZero():
		k.late = min(k.late, now.Sub(k.due))
		k.ticks++
	}
	if k.ticks == ticks {
		close(k.stopped)
		return time.Time{}
	}
	k.due = now.Add(tickTime)
	return k.due
}

// pauseAgain requests pauses at several times, and then none. The device must
// call Pause at these times and sleep otherwise.
func pauseAgain(t *testing.T, w World) {
	if !w.endless() {
		t.Skip("a file never waits for packets")
	}
	const quiet = 5 * tickTime // a device that polls is seen within this time
	dev := open(t, w)
	c := newChecker(t, w, dev)
	k := newTicker()
	c.ticker = k
	r := start(dev, c)
	w.Feed(t.Context(), 1)
	select {
	case <-k.stopped:
		<-time.After(quiet)
	case <-time.After(patience):
		t.Error("Pause was not called again at the time that it returned")
	}
	r.stop(t)
	switch {
	case k.late != math.MaxInt64 && k.late > mostLate:
		t.Errorf("Pause was called %v after the time that it returned, or later", k.late)
	case k.early > mostEarly:
		t.Errorf("Pause was called %d times before the time that it returned", k.early)
	case k.idle > mostIdle:
		t.Errorf("Pause was called %d times in %v although it had returned the zero time", k.idle, quiet)
	}
}
