package datapath

import (
	"time"

	"gomapi/internal/chain"
)

// derived is a loop that runs inside this one: its packets are those that leave a chain of this
// loop, whose last function calls its Batch. It has a plan, epochs and books of its own; only its
// packet time and its pauses come from here.
type derived struct {
	chain  *chain.Chain
	follow func(newest uint64) // see Loop.follow
	pause  func(now time.Time, lag, hold time.Duration) (again time.Time)
}

// begin makes the user of the loop pay for what follows. It returns false if the loop has ended with
// its chain.
func (d *derived) begin(h *chain.Host) bool {
	if d.chain.Closed() {
		return false
	}
	if h.Meter.On {
		h.Meter.To(d.chain.Share)
	}
	return true
}

// lead takes derived loops to the present packet time.
func lead(h *chain.Host, loops []*derived) {
	for _, d := range loops {
		if d.begin(h) {
			d.follow(h.Newest)
		}
	}
}

// pauseAll pauses derived loops. It returns when the first of them must pause again, the zero
// time if none must.
func pauseAll(h *chain.Host, loops []*derived, now time.Time, lag, hold time.Duration) (again time.Time) {
	for _, d := range loops {
		if d.begin(h) {
			again = sooner(again, d.pause(now, lag, hold))
		}
	}
	return again
}

// sooner returns the earlier time; the zero time is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
