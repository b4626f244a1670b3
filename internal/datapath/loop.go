package datapath

import (
	"slices"
	"sync/atomic"
	"time"

	"gomapi/internal/chain"
	"gomapi/internal/pkt"
	"gomapi/internal/segment"
)

// A Loop is the data side of an open device: the sink of its driver. All but the
// fields that say otherwise belongs to the capture goroutine, once that runs.
type Loop struct {
	options Options
	plan    atomic.Pointer[plan] // stored by the control side
	seen    atomic.Uint64        // generation of the newest plan taken up
	total   atomic.Uint64        // packets handed to flows
	noFlow  atomic.Uint64        // packets that came while there was none
	epoch   epoch
	moves   chain.Seqlock // around counts that move between chains and segments

	batch    *chain.Batch
	lockstep lockstep
	flusher  flusher
	catching []*chain.Chain // those that have to catch up with their connect

	// For the control side, which calls one by one.
	running  bool           // the capture goroutine may have begun
	fresh    []*chain.Chain // those that the loop may not know; plans share its memory
	freshGen uint64         // plan that brought the last of fresh
}

// Options are what a loop works with.
type Options struct {
	LinkType uint16 // of the device
	Live     bool   // it does not wait for who reads
	// NewLinkType prepares all filters for packets of a link type that has not come before
	// and has the plan reset to it. The capture goroutine calls it between batches.
	NewLinkType func(linkType uint16)
}

// New makes the loop of a device, with a plan without chains.
func New(o Options) *Loop {
	l := &Loop{options: o, batch: chain.NewBatch()}
	l.epoch.changed.L = &l.epoch.mu
	l.plan.Store(&plan{types: []uint16{o.LinkType}, scratch: segment.NewScratch()})
	return l
}

// MaxLinkTypes bounds the link types of one device for which filters are
// compiled. Real files have a handful; filters match nothing of further types.
const MaxLinkTypes = 64

// Batch implements drivers.Sink.
func (l *Loop) Batch(pkts []pkt.Packet) {
	l.epoch.begin()
	p := l.current()
	for _, c := range l.catching {
		c.CountOlder(pkts)
	}
	ptrs := l.batch.Begin(pkts)
	if len(p.chains) == 0 {
		l.noFlow.Add(uint64(len(ptrs)))
	} else {
		for len(ptrs) > 0 {
			n := sameLinkType(ptrs)
			p = l.run(p, pkts[:n], ptrs[:n])
			pkts, ptrs = pkts[n:], ptrs[n:]
		}
		for _, c := range p.expire {
			c.Expire(l.batch.Newest)
		}
	}
	if len(l.catching) > 0 {
		l.catchUp()
	}
	l.flusher.afterBatch(l.options.Live, l.batch.Newest)
	l.epoch.end()
}

// run takes packets of one link type through the plan and returns the plan that
// is current afterwards: a link type that is new brings a new one.
func (l *Loop) run(p *plan, pkts []pkt.Packet, ptrs []*pkt.Packet) *plan {
	linkType := ptrs[0].LinkType
	if !slices.Contains(p.types, linkType) && len(p.types) < MaxLinkTypes {
		l.options.NewLinkType(linkType)
		p = l.current()
	}
	l.total.Add(uint64(len(ptrs)))
	for _, s := range p.segments {
		s.Run(l.batch, p.scratch, pkts, ptrs)
	}
	for _, c := range p.unmerged {
		c.RunUnmerged(l.batch, p.scratch.List, ptrs)
	}
	if len(p.lockstep) > 0 {
		l.lockstep.run(l.batch, ptrs)
	}
	return p
}

// Pause implements drivers.Sink.
func (l *Loop) Pause(lag time.Duration) (again time.Time) {
	l.epoch.begin()
	if lag == 0 {
		l.flusher.flushAll()
	} else {
		again = l.flusher.atPause(lag, l.total.Load(), l.batch.Newest)
	}
	l.epoch.end()
	return again
}

// Finish runs the last step of all functions. Sums are flushed before: they
// are not lost when one of them fails.
func (l *Loop) Finish() error {
	l.epoch.begin()
	p := l.current()
	l.flusher.flushAll()
	for _, c := range p.chains {
		c.Finish()
	}
	l.epoch.end()
	return nil
}

// Abandon ends what a panic has interrupted. It is for the capture goroutine.
func (l *Loop) Abandon() {
	l.moves.Abandon()
	l.epoch.abandon()
}

// current loads the plan and takes up what is new in it.
func (l *Loop) current() *plan {
	p := l.plan.Load()
	if p.generation == l.seen.Load() {
		return p
	}
	for _, c := range p.fresh {
		l.start(c)
	}
	if p.steppings != l.lockstep.changes {
		l.lockstep.take(p.lockstep, p.steppings)
	}
	if !slices.Equal(l.flusher.segments, p.segments) {
		l.runSegments(p)
	}
	l.seen.Store(p.generation)
	return p
}

// start begins a chain, or lets one go on that has to detach.
func (l *Loop) start(c *chain.Chain) {
	if c.Start(l.total.Load(), &l.moves) {
		l.catching = append(l.catching, c)
	}
}

// runSegments turns to the segments that the plan has. Of those that it does not have any more,
// sums may be pending.
func (l *Loop) runSegments(p *plan) {
	for _, s := range l.flusher.segments {
		if !slices.Contains(p.segments, s) {
			l.flusher.ended = append(l.flusher.ended, s)
		}
	}
	for _, s := range p.segments {
		s.Begin()
	}
	l.flusher.segments = p.segments
}

// catchUp lets the chains go for which the device has passed the time of their
// connect.
func (l *Loop) catchUp() {
	now := time.Now()
	keep := l.catching[:0]
	for _, c := range l.catching {
		if !c.CatchUp(l.batch.Newest, now) {
			keep = append(keep, c)
		}
	}
	clear(l.catching[len(keep):])
	l.catching = keep
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
