package drivertest

import (
	"slices"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/internal/pkt"
)

// checker is the sink of the suite. It checks every packet and then overwrites
// batch and bytes, because a device must not use them afterwards.
type checker struct {
	t    *testing.T
	w    World
	info drivers.Info

	n         int // packets so far
	truncated uint64
	last      uint64 // timestamp
	more      chan int
	paused    chan int

	floor  uint64        // no packet may be older
	full   drivers.Gauge // nil: the device does not tell
	ticker *ticker
}

func newChecker(t *testing.T, w World, dev drivers.Device) *checker {
	full, _ := dev.(drivers.Gauge)
	return &checker{t: t, w: w, info: dev.Info(), more: make(chan int, 1), paused: make(chan int, 1), full: full}
}

// Batch implements drivers.Sink.
func (c *checker) Batch(pkts []drivers.Packet) {
	if len(pkts) == 0 || len(pkts) > drivers.MaxBatch {
		c.t.Errorf("a batch of %d packets, want 1 to %d", len(pkts), drivers.MaxBatch)
	}
	for i := range pkts {
		c.check(&pkts[i])
		for at := range pkts[i].Link {
			pkts[i].Link[at] = 0xdb
		}
		pkts[i] = drivers.Packet{TS: 1, Color: 1, Wire: 1, IfIndex: 1, LinkType: 0xffff, Flags: 0xffff}
	}
	c.gauge()
	select {
	case <-c.more: // not read yet
	default:
	}
	c.more <- c.n
}

// overslept is how much later than promised a packet may come, because the
// thread of the device or the kernel may be interrupted.
const overslept = 200 * time.Millisecond

// Pause implements drivers.Sink.
func (c *checker) Pause(lag, hold time.Duration) (again time.Time) {
	now := time.Now()
	c.gauge()
	if c.info.HostClock && hold >= 0 {
		c.floor = pkt.FromTime(now.Add(-hold - overslept))
	}
	select {
	case <-c.paused: // not read yet
	default:
	}
	c.paused <- c.n
	if c.ticker != nil && c.n > 0 {
		again = c.ticker.pause(now)
	}
	return again
}

// await waits for n packets.
func (c *checker) await(n int) {
	c.t.Helper()
	deadline := time.After(patience)
	for came := 0; came < n; {
		select {
		case came = <-c.more:
		case <-deadline:
			c.t.Fatalf("%d of %d packets arrived", came, n)
		}
	}
}

// check compares a packet with the contract and with the packet sent.
func (c *checker) check(p *drivers.Packet) {
	cut := uint32(len(p.Link)) < p.Wire
	switch {
	case uint32(len(p.Link)) > p.Wire:
		c.t.Errorf("packet %d: %d bytes captured of %d", c.n, len(p.Link), p.Wire)
	case len(p.Link) > c.info.Snap:
		c.t.Errorf("packet %d: %d bytes, the snap length is %d", c.n, len(p.Link), c.info.Snap)
	case cut != (p.Flags&pkt.Truncated != 0):
		c.t.Errorf("packet %d: %d bytes of %d, flags %b", c.n, len(p.Link), p.Wire, p.Flags)
	case p.LinkType != c.info.LinkType && !slices.Contains(c.info.LinkTypes, p.LinkType):
		c.t.Errorf("packet %d: link type %d, the device announces %d and %d", c.n, p.LinkType, c.info.LinkType, c.info.LinkTypes)
	case p.TS < c.last && !c.info.Unordered:
		c.t.Errorf("packet %d: time %v before %v", c.n, pkt.Time(p.TS), pkt.Time(c.last))
	case p.TS < c.floor:
		c.t.Errorf("packet %d: time %v, but Pause was told that none before %v follows", c.n, pkt.Time(p.TS), pkt.Time(c.floor))
	case !c.w.Is(c.n, *p):
		c.t.Errorf("packet %d is not the packet that was sent: %+v", c.n, p)
	}
	if cut {
		c.truncated++
	}
	c.last = p.TS
	c.n++
}

// gauge checks that the device tells how full it is, if it does.
func (c *checker) gauge() {
	if c.full == nil {
		return
	}
	if now := c.full.Fullness(); now < 0 || now > 100 {
		c.t.Errorf("the room for waiting packets is full to %d %%", now)
	}
}
