package engine

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gomapi/drivers"
	"gomapi/internal/pkt"
)

// A loop is the data side of a capture: the sink of its driver. All but the
// fields that say otherwise belongs to the capture goroutine, once that runs.
type loop struct {
	capture *capture
	plan    atomic.Pointer[plan] // stored by the control side
	seen    atomic.Uint64        // generation of the newest plan adopted
	total   atomic.Uint64        // packets handed to flows
	noFlow  atomic.Uint64        // packets that came while there was none
	spared  atomic.Uint64        // packets times functions that need not see them
	// turn is odd while a batch is under way. A batch that begins after a plan
	// was stored runs on that plan, so whoever sees an even turn after storing
	// knows that nothing runs on an older one.
	turn atomic.Uint64
	// shifts is odd while chains move from level to level, see chain.tally.
	shifts atomic.Uint64
	levels []*level // of the plan taken up last
	ended  []*level // that still have sums to hand on

	tied   []*tied // likewise
	tyings uint64  // likewise
	rounds rounds

	young   []*chain // chains whose since is not 0
	newest  uint64   // largest time stamp so far
	batch   *pkt.Packet
	ptrs    []*pkt.Packet // pointers to the packets of batch
	waiters struct {
		count atomic.Int32 // control goroutines in settle
		sync.Mutex
		sync.Cond
		parked *applied // function that waits for its client, nil: none
	}
}

func newLoop(c *capture) *loop {
	l := &loop{capture: c, ptrs: make([]*pkt.Packet, 0, drivers.MaxBatch)}
	l.waiters.L = &l.waiters.Mutex
	l.plan.Store(&plan{types: slices.Clone(c.linkTypes), scratch: newScratch(0)})
	return l
}

// maxLinkTypes bounds the link types of one device for which filters are
// compiled. Real files have a handful; filters match nothing of further types.
const maxLinkTypes = 64

// Batch implements drivers.Sink.
func (l *loop) Batch(pkts []pkt.Packet) {
	l.turn.Add(1)
	p := l.current()
	for _, c := range l.young {
		c.older.Add(olderThan(c.since, pkts))
	}
	ptrs := l.pointers(pkts)
	if len(p.chains) == 0 {
		l.noFlow.Add(uint64(len(ptrs)))
	} else {
		for len(ptrs) > 0 {
			n := sameLinkType(ptrs)
			p = l.run(p, pkts[:n], ptrs[:n])
			pkts, ptrs = pkts[n:], ptrs[n:]
		}
		for _, c := range p.expire {
			c.expire(l.newest)
		}
	}
	if len(l.young) > 0 {
		l.mature()
	}
	l.handOn()
	l.leave()
}

// run takes packets of one link type through the plan and returns the plan that
// is current afterwards: a link type that is new brings a new one.
func (l *loop) run(p *plan, pkts []pkt.Packet, ptrs []*pkt.Packet) *plan {
	linkType := ptrs[0].LinkType
	if !slices.Contains(p.types, linkType) && len(p.types) < maxLinkTypes {
		l.capture.addLinkType(linkType)
		p = l.current()
	}
	l.total.Add(uint64(len(ptrs)))
	for _, lv := range p.levels {
		lv.run(l, p.scratch, pkts, ptrs)
	}
	for _, c := range p.loose {
		c.runLoose(l, p.scratch, ptrs)
	}
	if len(p.tied) > 0 {
		l.runTied(p, ptrs)
	}
	return p
}

// current loads the plan and takes up what is new in it.
func (l *loop) current() *plan {
	p := l.plan.Load()
	if p.gen == l.seen.Load() {
		return p
	}
	for _, c := range p.fresh {
		l.takeUp(c)
	}
	if p.tyings != l.tyings {
		l.tie(p)
	}
	if !slices.Equal(l.levels, p.levels) {
		l.shift(p)
	}
	l.seen.Store(p.gen)
	return p
}

// takeUp begins a chain, or lets one go on that has to leave its share.
func (l *loop) takeUp(c *chain) {
	if c.leaves.Load() {
		c.withdraw(l)
	}
	if c.adopted.Load() {
		return
	}
	c.base.Store(l.total.Load())
	c.adopted.Store(true)
	c.adoptedRef.Connect(c.since)
	if c.since != 0 {
		l.young = append(l.young, c)
	}
}

// tie lets those chains run packet by packet that the plan has as tied, and no other.
func (l *loop) tie(p *plan) {
	for _, t := range l.tied {
		t.tie = nil
	}
	for _, t := range p.tied {
		t.tie = t
	}
	l.tied, l.tyings = p.tied, p.tyings
}

// shift turns to the levels that the plan has. Of those that it does not have any more,
// sums may be left to be handed on.
func (l *loop) shift(p *plan) {
	for _, lv := range l.levels {
		if !slices.Contains(p.levels, lv) {
			l.ended = append(l.ended, lv)
		}
	}
	for _, lv := range p.levels {
		lv.begun.Store(true)
	}
	l.levels = p.levels
}

// mature lets the chains go for which the device has passed the time of their
// connect.
func (l *loop) mature() {
	now := time.Now()
	keep := l.young[:0]
	for _, c := range l.young {
		switch {
		case l.newest >= c.since:
			c.since = 0
			c.whole.Store(true)
		case now.After(c.deadline):
			c.since = 0
			c.adoptedRef.Connect(0)
			c.connectedRef.Connect(0)
		default:
			keep = append(keep, c)
		}
	}
	clear(l.young[len(keep):])
	l.young = keep
}

// pointers returns the addresses of pkts, and keeps track of packet time.
// Drivers use one array for all batches, so that most calls only compare.
func (l *loop) pointers(pkts []pkt.Packet) []*pkt.Packet {
	if len(pkts) == 0 {
		return nil
	}
	if l.batch != &pkts[0] || len(l.ptrs) < len(pkts) {
		l.batch, l.ptrs = &pkts[0], l.ptrs[:0]
		for i := range pkts {
			l.ptrs = append(l.ptrs, &pkts[i])
		}
	}
	l.newest = max(l.newest, pkts[len(pkts)-1].TS)
	return l.ptrs[:len(pkts)]
}

// finish runs the last step of all functions. What was added up is handed on before: it
// is not lost when one of them fails.
func (l *loop) finish() error {
	l.turn.Add(1)
	p := l.current()
	l.handAll()
	for _, c := range p.chains {
		c.end()
	}
	l.leave()
	return nil
}

func olderThan(since uint64, pkts []pkt.Packet) (n uint64) {
	for i := range pkts {
		if pkts[i].TS < since {
			n++
		}
	}
	return n
}

// sameLinkType returns how many of the first packets share a link type.
func sameLinkType(ptrs []*pkt.Packet) int {
	for i, p := range ptrs {
		if p.LinkType != ptrs[0].LinkType {
			return i
		}
	}
	return len(ptrs)
}
