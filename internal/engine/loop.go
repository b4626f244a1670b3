package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"gomapi/drivers"
	"gomapi/internal/filter"
	"gomapi/internal/pkt"
)

// A loop is the data side of a capture: the sink of its driver. All but the
// fields that say otherwise belongs to the capture goroutine.
type loop struct {
	capture *capture
	plan    atomic.Pointer[plan] // stored by the control side
	seen    atomic.Uint64        // generation of the newest plan adopted
	total   atomic.Uint64        // packets handed to flows
	noFlow  atomic.Uint64        // packets that came while there was none
	// turn is odd while a batch is under way. A batch that begins after a plan
	// was stored runs on that plan, so whoever sees an even turn after storing
	// knows that nothing runs on an older one.
	turn atomic.Uint64

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
	l.plan.Store(newPlan(&plan{}, nil, c.linkTypes, nil))
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
	l.leave()
}

// run takes packets of one link type through the plan and returns the plan that
// is current afterwards: a link type that is new brings a new one.
func (l *loop) run(p *plan, pkts []pkt.Packet, ptrs []*pkt.Packet) *plan {
	classifier := p.classifier(ptrs[0].LinkType)
	if classifier == nil && len(p.types) < maxLinkTypes {
		l.capture.addLinkType(ptrs[0].LinkType)
		p = l.current()
		classifier = p.classifier(ptrs[0].LinkType)
	}
	l.total.Add(uint64(len(ptrs)))
	for _, c := range p.open {
		c.run(ptrs)
	}
	for at := 0; classifier != nil && len(p.members) > 0 && at < len(pkts); {
		n, hits := classifier.Classify(p.filters, pkts[at:], p.scratch.hits[:0])
		p.dispatch(hits, ptrs, at)
		at += n
	}
	if len(p.tied) > 0 {
		p.runTied(ptrs)
	}
	return p
}

// dispatch sorts hits by member and runs the chains of each with its packets.
// Hits count packets from ptrs[at] on. Tied chains are only told.
func (p *plan) dispatch(hits []filter.Hit, ptrs []*pkt.Packet, at int) {
	s := p.scratch
	touched := s.touched[:0]
	for i, h := range hits {
		s.next[i] = -1
		if t := s.tail[h.Member]; t >= 0 {
			s.next[t] = int32(i)
		} else {
			s.head[h.Member] = int32(i)
			touched = append(touched, h.Member)
		}
		s.tail[h.Member] = int32(i)
	}
	for _, m := range touched {
		list := s.list[:0]
		for i := s.head[m]; i >= 0; i = s.next[i] {
			list = append(list, ptrs[at+int(hits[i].Packet)])
			for _, t := range p.members[m].tied {
				t.hit(at + int(hits[i].Packet))
			}
		}
		s.tail[m] = -1
		for _, c := range p.members[m].free {
			c.run(list)
		}
	}
}

// current loads the plan and takes up the chains that are new in it.
func (l *loop) current() *plan {
	p := l.plan.Load()
	if p.gen == l.seen.Load() {
		return p
	}
	for _, c := range p.fresh {
		if c.adopted.Load() {
			continue
		}
		c.base.Store(l.total.Load())
		c.adopted.Store(true)
		c.adoptedRef.Connect(c.since)
		if c.since != 0 {
			l.young = append(l.young, c)
		}
	}
	l.seen.Store(p.gen)
	return p
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

// finish runs the last step of all functions.
func (l *loop) finish() error {
	l.turn.Add(1)
	for _, c := range l.current().chains {
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
