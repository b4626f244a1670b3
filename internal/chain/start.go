package chain

import (
	"time"

	"gomapi/internal/pkt"
)

// sinceLimit limits how long a chain waits for the first packet that is not older than its
// connect. The ring delivers its packets within its timeout, 10 ms by default and at most 1 s.
const sinceLimit = 2 * time.Second

// SetSince makes the chain drop packets from before now. With the zero time it sees all. It
// is called before the chain is in a plan.
func (c *Chain) SetSince(now time.Time) {
	if now.IsZero() {
		c.caughtUp.Store(true)
		return
	}
	c.since, c.deadline = pkt.FromTime(now), now.Add(sinceLimit)
}

// ShowFrom makes the chain a notice: it has no functions. When the loop starts it, functions
// that wait for a flow learn that the flow will never be connected: they stop waiting with the
// packets from since on.
func (c *Chain) ShowFrom(since uint64) { c.since = since }

// Since is the time stamp before which packets are not for the chain, 0 if all are.
func (c *Chain) Since() uint64 { return c.since }

// Start begins the chain after the loop has delivered total packets. It also detaches a
// chain that was asked to detach. It returns true if the chain has just begun and has to
// catch up. Only the loop calls it.
func (c *Chain) Start(total uint64, h *Host) bool {
	if c.Closed() {
		return false // a control goroutine may be ending its functions
	}
	c.host = h
	if c.detaching.Load() {
		c.detach(&h.moves)
	}
	if c.started.Load() {
		return false
	}
	if c.deadlines == nil {
		c.enlist(&h.deadlines)
	}
	c.base.Store(total)
	c.started.Store(true)
	c.startedRef.Connect(c.since)
	return c.since != 0
}

// Pass begins to pass the chain by, or ends it, after the loop has delivered total packets. Only
// the loop calls it, between batches.
func (c *Chain) Pass(on bool, total uint64) {
	if on {
		defer c.passing.pending.Add(-1)
	}
	if c.Closed() {
		return
	}
	p, moves := &c.passing, &c.host.moves
	if on {
		c.delist()
		c.detach(moves)
	} else {
		c.enlist(&c.host.deadlines)
	}
	moves.begin()
	defer moves.end()
	if on {
		p.from.Store(total)
		c.off.Or(isPassedBy)
	} else {
		p.missed.Add(total - p.from.Load())
		c.off.And(^uint32(isPassedBy))
	}
}

// CountOlder counts the packets of a batch from before the connect, for a chain that has to
// catch up.
func (c *Chain) CountOlder(pkts []pkt.Packet) {
	if c.off.Load() != 0 {
		return
	}
	n := uint64(0)
	for i := range pkts {
		if pkts[i].TS < c.since {
			n++
		}
	}
	c.older.Add(n)
}

// CatchUp returns true if the chain need not drop packets any more: packet time, newest, has
// passed its connect, or the deadline has passed.
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

// CaughtUp reports whether every packet that comes is for the chain. Any goroutine may call
// it.
func (c *Chain) CaughtUp(now time.Time) bool {
	return c.caughtUp.Load() || c.Closed() || now.After(c.deadline)
}
