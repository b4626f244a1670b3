package datapath

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gomapi/internal/chain"
	"gomapi/internal/pkt"
	"gomapi/internal/segment"
)

// A Loop is the data side of an open device: the sink of its driver. The capture goroutine
// owns all fields that do not say otherwise, once it runs.
type Loop struct {
	options Options
	plan    atomic.Pointer[plan] // stored by the control side
	seen    atomic.Uint64        // generation of the newest plan that the loop has loaded
	total   atomic.Uint64        // packets handed to flows
	noFlow  atomic.Uint64        // packets that came while there was no flow
	// unfiltered counts packets of link types for which no filters were compiled.
	unfiltered atomic.Uint64
	met        []uint16 // link types for which filters are compiled, or were asked for
	epoch      epoch
	// active is held while a batch or a pause runs, except while it is parked. So a control
	// goroutine that holds it has the functions to itself, see FinishClosed.
	active sync.Mutex

	host     chain.Host
	lockstep lockstep
	flusher  flusher
	clock    clock
	metering metering
	catching []*chain.Chain // chains that have to catch up
	tidied   uint64         // plan.tidied of the plan that the loop runs
	passed   uint64         // number of the last passage that the loop has done

	// For the control side, under the lock of the plans.
	running  bool           // the capture goroutine may have begun
	fresh    []*chain.Chain // chains that the loop may not have started; plans share its memory
	kept     int            // bytes that chains keep which were closed since Tidy removed some
	freshGen uint64         // generation of the plan that brought the last of fresh
	passes   []passage      // that the loop may not have done
	passages uint64         // number of the last passage
	passGen  uint64         // generation of the plan that brought the last of passes
}

// Options configure a loop.
type Options struct {
	LinkType uint16 // of the device
	// Announced are all link types for which filters are compiled before the first packet,
	// LinkType first; nil: LinkType.
	Announced []uint16
	Live      bool // a live device: never waits for readers
	// HostClock says that packet times are those of the host's clock, so that packet time
	// begins before the first packet.
	HostClock bool
	// Derived says that the loop runs inside another one, which meters what it takes.
	Derived bool
	// Rest and Resume are called before and after the loop of a file waits for a client.
	// Resume may wait.
	Rest, Resume func()
	// Fullness tells how much of the device's room for waiting packets is taken, in percent.
	// Nil: nobody knows.
	Fullness func() int
	// Filling is called when this is share.Filling or more, once until Loop.Watch. It must not
	// wait.
	Filling func()
	// NewLinkType prepares all filters for a link type that has not come before and calls
	// Unmerge: at once, but on a live device later, on another goroutine. The capture
	// goroutine calls it in the middle of a batch, between packets.
	NewLinkType func(linkType uint16)
	// Fault is called when a function has failed. The users, the chains for which it runs,
	// are closed for the loop; the engine must Expel each of them under the lock of the
	// plans. The capture goroutine calls it in the middle of a batch.
	Fault func(f *chain.Fault, users []*chain.Chain)
}

// New makes the loop of a device, with a plan without chains.
func New(o Options) *Loop {
	l := &Loop{options: o}
	l.metering.meter, l.metering.every = &l.host.Meter, math.MaxInt
	if o.Live && !o.Derived {
		l.metering.every, l.metering.fullness, l.metering.fills = meterEvery, o.Fullness, o.Filling
	}
	l.host.Fault, l.clock.real = o.Fault, o.HostClock
	l.epoch.changed.L = &l.epoch.mu
	types := o.Announced
	if types == nil {
		types = []uint16{o.LinkType}
	}
	l.met = slices.Clone(types)
	l.plan.Store(&plan{types: types, scratch: segment.NewScratch()})
	return l
}

// MaxLinkTypes limits the link types of one device for which filters are
// compiled. Real files have a handful. Filters match no packet of further types.
const MaxLinkTypes = 64

// Batch implements drivers.Sink: it runs the plan with one batch.
func (l *Loop) Batch(pkts []pkt.Packet) {
	p := l.begin()
	for _, c := range l.catching {
		c.CountOlder(pkts)
	}
	before := l.host.Newest
	ptrs := l.host.Begin(pkts)
	if len(p.chains) == 0 {
		l.noFlow.Add(uint64(len(ptrs)))
	} else {
		for _, a := range p.analyses {
			a.run(&l.host, pkts)
		}
		for len(ptrs) > 0 {
			n := sameLinkType(ptrs)
			p = l.run(p, before, pkts[:n], ptrs[:n])
			pkts, ptrs = pkts[n:], ptrs[n:]
		}
		l.host.Expire()
		l.clock.afterBatch(&l.host)
	}
	if l.options.Live { // in a file only its own packets move the time of a derived loop
		lead(&l.host, p.derived)
	}
	l.host.Meter.ToNobody()
	l.afterBatch()
	l.end()
}

// afterBatch lets chains catch up with the newest packet, and flushes some sums.
func (l *Loop) afterBatch() {
	if len(l.catching) > 0 {
		l.catchUp()
	}
	l.flusher.afterBatch(l.options.Live, l.host.Newest)
}

// run runs the plan with packets of one link type: first the segments, then the unmerged
// chains, then the chains in lockstep. before is packet time before the batch. run returns
// the plan that it has used: a new link type brings a new plan.
func (l *Loop) run(p *plan, before uint64, pkts []pkt.Packet, ptrs []*pkt.Packet) *plan {
	linkType := ptrs[0].LinkType
	if !slices.Contains(p.types, linkType) {
		p = l.meet(p, linkType, len(ptrs))
	}
	l.host.Delivered = l.total.Add(uint64(len(ptrs)))
	for _, s := range p.segments {
		s.Run(&l.host, p.scratch, pkts, ptrs)
	}
	for _, c := range p.unmerged {
		c.RunUnmerged(&l.host, p.scratch.List, ptrs)
	}
	if len(p.lockstep) > 0 {
		l.lockstep.run(&l.host, before, ptrs)
	}
	return p
}

// meet asks once for filters for a link type that the plan does not know, and returns the plan
// to use. It counts n packets if no filter can match them.
func (l *Loop) meet(p *plan, linkType uint16, n int) *plan {
	if !slices.Contains(l.met, linkType) && len(l.met) < MaxLinkTypes {
		l.met = append(l.met, linkType)
		l.options.NewLinkType(linkType)
		if !l.options.Live {
			p = l.current()
		}
	}
	if !slices.Contains(p.types, linkType) {
		l.unfiltered.Add(uint64(n))
	}
	return p
}

// Pause implements drivers.Sink: it lets packet time go on, and brings results up to date.
func (l *Loop) Pause(lag, hold time.Duration) time.Time { return l.pause(time.Now(), lag, hold) }

// pause is Pause at the time now of the host's clock.
func (l *Loop) pause(now time.Time, lag, hold time.Duration) (again time.Time) {
	p := l.begin() // the newest plan: its chains may have deadlines
	tick := l.clock.pause(&l.host, now, hold)
	l.host.Publish()
	tick = sooner(tick, pauseAll(&l.host, p.derived, now, lag, hold))
	l.host.Meter.ToNobody()
	if lag == 0 {
		l.flusher.flushAll()
	} else {
		again = l.flusher.atPause(lag, l.total.Load(), l.host.Newest)
	}
	l.end()
	return sooner(again, tick)
}

// follow takes a derived loop to the packet time of the loop in which it runs, after a batch whose
// newest packet did not come here.
func (l *Loop) follow(newest uint64) {
	if newest <= l.host.Newest {
		return
	}
	l.begin()
	l.host.Newest = newest
	l.host.Expire()
	l.host.ExpireInStep(newest)
	l.clock.afterBatch(&l.host)
	l.afterBatch()
	l.end()
}

// Finish tells all functions that no more packets come. It flushes the sums first, so that
// they are not lost when a function fails.
func (l *Loop) Finish() error {
	p := l.begin()
	l.flusher.flushAll()
	for _, c := range p.chains {
		if !c.Closed() {
			c.Finish()
		}
	}
	l.host.Publish()
	l.end()
	return nil
}

// begin begins a batch or a pause with the newest plan.
func (l *Loop) begin() *plan {
	l.epoch.begin()
	l.active.Lock()
	p := l.current()
	l.metering.begin()
	return p
}

// end ends it.
func (l *Loop) end() {
	l.metering.end()
	l.active.Unlock()
	l.epoch.end()
}

// Abandon ends a batch that a panic interrupted. Only the capture goroutine may call it.
func (l *Loop) Abandon() {
	l.host.Abandon()
	if l.epoch.odd() {
		l.end()
	}
}

// current loads the plan. If it is a new one, it starts the chains and segments that are new
// in it.
func (l *Loop) current() *plan {
	p := l.plan.Load()
	if p.generation == l.seen.Load() {
		return p
	}
	for _, c := range p.fresh {
		l.start(c)
	}
	for _, x := range p.passes {
		if x.number > l.passed {
			x.chain.Pass(x.on, l.total.Load())
			l.passed = x.number
		}
	}
	if p.steppings != l.lockstep.changes {
		l.lockstep.take(p.lockstep, p.steppings)
	}
	if p.tidied != l.tidied {
		l.host.Tidy()
		l.tidied = p.tidied
	}
	if !slices.Equal(l.flusher.segments, p.segments) {
		l.runSegments(p)
	}
	l.metering.soon()
	l.seen.Store(p.generation)
	return p
}

// start starts a chain, or detaches one that was asked to.
func (l *Loop) start(c *chain.Chain) {
	if c.Start(l.total.Load(), &l.host) {
		l.catching = append(l.catching, c)
	}
}

// runSegments switches to the segments of the plan. Segments that have left the plan may
// have pending sums, so the flusher keeps them.
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

// catchUp removes the chains that have caught up from catching.
func (l *Loop) catchUp() {
	now := time.Now()
	keep := l.catching[:0]
	for _, c := range l.catching {
		if !c.CatchUp(l.host.Newest, now) {
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
