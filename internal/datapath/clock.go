package datapath

import (
	"time"

	"gomapi/internal/chain"
	"gomapi/internal/deadline"
	"gomapi/internal/pkt"
)

const (
	// publishEvery is the number of batches after which functions publish their results, if
	// the device does not pause.
	publishEvery = 64
	// minTick is the minimum time between two pauses that a deadline asks for.
	minTick = 10 * time.Millisecond
	// pastTick is that time for a deadline that has passed already.
	pastTick = time.Second
)

// A clock lets packet time go on while a live device delivers nothing: packet time is the
// newest time stamp plus the time elapsed since, less what the device may still hold back.
type clock struct {
	batches int       // since functions have published their results
	newest  uint64    // packet time at anchor
	anchor  time.Time // first pause after the packet with the newest time stamp
	shown   uint64    // packet time when the last pause ended
	real    bool      // packet times are those of the host's clock
}

// afterBatch lets functions publish their results from time to time.
func (c *clock) afterBatch(h *chain.Host) {
	if c.batches++; c.batches == publishEvery {
		c.batches = 0
		h.Publish()
	}
}

// pause advances packet time if a function waits for a moment, and calls the functions that
// are due. Packets that follow are at most hold old; if hold is negative, packet time stands
// still, and now is the time of the call. pause returns when to pause again, the zero time if no function waits.
func (c *clock) pause(h *chain.Host, now time.Time, hold time.Duration) time.Time {
	c.batches = 0
	if hold < 0 || !c.advance(h, now, hold) || h.Deadline() == deadline.None {
		return time.Time{}
	}
	h.Expire()
	h.ExpireInStep(h.Newest)
	first := h.Deadline()
	switch {
	case first == deadline.None:
		return time.Time{}
	case first <= h.Newest:
		return now.Add(pastTick)
	}
	at := c.moment(first).Add(hold)
	if soonest := now.Add(minTick); at.Before(soonest) {
		return soonest
	}
	return at
}

// moment is the time of the host at which packet time is ts, if the device holds nothing back.
func (c *clock) moment(ts uint64) time.Time {
	if ts < c.newest {
		return c.anchor.Add(-pkt.Duration(c.newest - ts))
	}
	return c.anchor.Add(pkt.Duration(ts - c.newest))
}

// advance sets packet time. It returns false before packet time has begun.
func (c *clock) advance(h *chain.Host, now time.Time, hold time.Duration) bool {
	switch {
	case h.Newest > c.shown: // a packet has come since the last pause
		c.newest, c.anchor = h.Newest, now
	case h.Newest == 0 && !c.real:
		return false
	case h.Newest == 0:
		c.newest, c.anchor = pkt.FromTime(now), now
		h.Newest = pkt.FromTime(now.Add(-hold))
	}
	if elapsed := now.Sub(c.anchor) - hold; elapsed > 0 {
		h.Newest = max(h.Newest, c.newest+min(pkt.Ticks(elapsed), pkt.Latest-c.newest))
	}
	c.shown = h.Newest
	return true
}
