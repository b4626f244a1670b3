package chain

import (
	"time"

	"gomapi/flib"
	"gomapi/internal/pkt"
)

// sinceLimit bounds how long a chain waits for the first packet that is not
// older than its connect. The ring hands over what it has within its time-out,
// 10 ms by default and 1 s at most.
const sinceLimit = 2 * time.Second

// SetSince lets the chain see no packets from before a time. Zero: it sees all. It is for
// before the chain is in a plan.
func (c *Chain) SetSince(now time.Time) {
	if now.IsZero() {
		c.caughtUp.Store(true)
		return
	}
	c.since, c.deadline = pkt.FromTime(now), now.Add(sinceLimit)
}

// NewNotice makes a chain without functions, by which the loop tells those who wait for a
// flow that it never will be connected: they wait no more from the packets of since on.
func NewNotice(started, connected *flib.FlowRef, since uint64) *Chain {
	return &Chain{startedRef: started, connectedRef: connected, since: since}
}

// Since is the time stamp before which packets are not for the chain, 0: none.
func (c *Chain) Since() uint64 { return c.since }

// Start is for the loop, which has delivered total packets: it begins a chain, or lets
// one go on that has to detach. It reports whether the chain has begun and has to catch
// up.
func (c *Chain) Start(total uint64, moves *Seqlock) bool {
	if c.detaching.Load() {
		c.detach(moves)
	}
	if c.started.Load() {
		return false
	}
	c.base.Store(total)
	c.started.Store(true)
	c.startedRef.Connect(c.since)
	return c.since != 0
}

// CountOlder counts the packets of a batch from before the connect of the chain, which
// has to catch up.
func (c *Chain) CountOlder(pkts []pkt.Packet) {
	n := uint64(0)
	for i := range pkts {
		if pkts[i].TS < c.since {
			n++
		}
	}
	c.older.Add(n)
}

// CatchUp lets the chain go when packet time, newest, has passed its connect, or when it
// has waited for too long. It reports whether it has.
func (c *Chain) CatchUp(newest uint64, now time.Time) bool {
	switch {
	case newest >= c.since:
		c.since = 0
		c.caughtUp.Store(true)
	case now.After(c.deadline):
		c.since = 0
		c.startedRef.Connect(0)
		c.connectedRef.Connect(0)
	default:
		return false
	}
	return true
}

// CaughtUp reports whether all packets that come are for the chain. Any goroutine may
// ask.
func (c *Chain) CaughtUp(now time.Time) bool {
	return c.caughtUp.Load() || c.closed.Load() || now.After(c.deadline)
}
