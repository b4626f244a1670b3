package engine

import (
	"context"
	"encoding/hex"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"gomapi/drivers"
	"gomapi/internal/chain"
	"gomapi/internal/datapath"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
	"gomapi/internal/segment"
	"gomapi/internal/share"
)

// A capture is one opening of a device: from Open to Close, with the goroutine
// that runs it and the flows connected to it.
type capture struct {
	device  *device
	opening uint64 // its number, over all devices
	dev     drivers.Device
	info    drivers.Info
	loop    *datapath.Loop
	turn    *share.Turn // of a file, else nil
	from    *derivation // of a derived device, else nil
	// lostByClosed counts packets that functions of closed flows have lost.
	lostByClosed atomic.Uint64
	faults       atomic.Uint64 // functions and analysers that have failed

	ctx    context.Context         // ends when the capture must stop
	cancel context.CancelCauseFunc // with nil: the flows need not know why
	done   chan struct{}           // closed when the capture goroutine is gone

	// types is held while filters are compiled for a link type: by connect, and by the
	// capture goroutine when a file has a new link type. On a live device see linktypes.go.
	types sync.Mutex
	// analysing is held while an analyser is made or closed.
	analysing sync.Mutex

	filling chan struct{}  // see relieve
	helpers sync.WaitGroup // its goroutine, for which stop waits

	// Guarded by Engine.mu.
	stakes    map[*share.Payer]*stake
	relieving bool                 // relieve runs
	analysers map[string]*analyser // by key
	derived   []*derivation        // devices that are derived from this one
	withheld  uint64               // by the forced functions of those that are closed
	connected int                  // flows that were connected and are not closed, also after the end
	compactor compactor
	linkTypes []uint16 // those of the plan
	coming    []uint16 // link types of a live device for which filters are being compiled
	started   bool
	ended     bool  // no more packets come
	err       error // why it has ended, nil at the end of a file
}

// A stake is the share of a user in a device.
type stake struct {
	*share.Share
	user  string    // the holder of the account
	asks  int       // functions that ask for an analyser
	flows int       // connected
	told  time.Time // when the log last said that they are passed by
	times int       // how often they were since
}

// A derivation makes a derived device of another one, its parent: an inner flow on the parent
// runs the forced functions, and what leaves them are the packets of the derived device. It is the
// last function of that flow, and the drivers.Device of the derived device.
type derivation struct {
	parent   *capture
	child    *capture
	session  *Session      // of the inner flow alone; no client has it
	flow     *Flow         // the inner flow
	sink     *instance     // its last function
	over     sync.Once     // conclude
	before   drivers.Stats // of the parent, when the derived device was opened
	pkts     [pkt.MaxBatch]pkt.Packet
	received atomic.Uint64
	// Of which.
	truncated, outOfTime atomic.Uint64
	last                 atomic.Uint64 // time stamp of the newest packet
}

// newCapture makes the capture of a device; from is nil, unless that is a derived one.
func newCapture(d *device, dev drivers.Device, from *derivation) *capture {
	c := &capture{
		device: d, from: from, opening: d.engine.openings.Add(1), dev: dev, info: dev.Info(), done: make(chan struct{}),
		analysers: make(map[string]*analyser), stakes: make(map[*share.Payer]*stake), filling: make(chan struct{}, 1),
	}
	c.linkTypes = c.announced()
	c.compactor.capture = c
	ctx := context.Background()
	if from != nil {
		ctx = from.parent.ctx
	}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	o := datapath.Options{
		LinkType: c.info.LinkType, Announced: c.linkTypes, Live: d.owner == nil, HostClock: c.info.HostClock,
		NewLinkType: c.newLinkType, Fault: c.failed, Filling: c.fills, Derived: from != nil,
	}
	if g, ok := dev.(drivers.Gauge); ok && o.Live {
		o.Fullness = g.Fullness
	}
	switch {
	case from != nil:
		c.turn, o.Rest, o.Resume = from.parent.turn, from.rest, from.resume
	case !o.Live:
		c.turn = d.engine.reading.New(&d.owner.user.account.CPU)
		o.Rest, o.Resume = c.turn.Rest, c.resume
	}
	c.loop = datapath.New(o)
	return c
}

// reader returns the capture whose goroutine runs c: c, or the one from which it is derived.
func (c *capture) reader() *capture {
	if c.from != nil {
		return c.from.parent
	}
	return c
}

// resume waits for the turn of a file.
func (c *capture) resume() { c.turn.Resume(c.ctx) }

// fills wakes the goroutine of relieve. The capture goroutine calls it.
func (c *capture) fills() {
	select {
	case c.filling <- struct{}{}:
	default:
	}
}

// stakeLocked returns the stake of the session's user. Engine.mu is held.
func (c *capture) stakeLocked(s *Session) *stake {
	st := c.stakes[&s.user.account.CPU]
	if st == nil {
		st = &stake{Share: share.New(&s.user.account.CPU), user: s.payer()}
		c.stakes[&s.user.account.CPU] = st
	}
	return st
}

// dropStakesLocked forgets the stakes that nothing uses. Those that were passed by lately are kept:
// who closes all flows and comes back is not passed by for a shorter term. Engine.mu is held.
func (c *capture) dropStakesLocked(now time.Time) {
	maps.DeleteFunc(c.stakes, func(_ *share.Payer, st *stake) bool {
		return st.flows == 0 && st.asks == 0 && st.Forgiven(now)
	})
}

// start starts the capture goroutine, which stop waits for. It does nothing if the capture
// was started or stopped before.
func (c *capture) start() {
	e := c.device.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.from != nil {
		c.startLocked()
		c = c.from.parent
	}
	if c.startLocked() {
		go c.run()
	}
}

// startLocked is start without the goroutine. It returns false if there is nothing to do. Engine.mu
// is held.
func (c *capture) startLocked() bool {
	if c.started || c.ctx.Err() != nil {
		return false
	}
	c.started = true
	c.loop.Run()
	return true
}

// stop ends the capture; its flows finish with cause. It returns when the capture goroutine
// has ended and the device is closed. Stopping a nil capture does nothing.
func (c *capture) stop(cause error) {
	if c == nil {
		return
	}
	e := c.device.engine
	e.mu.Lock()
	c.cancel(cause)
	c.compactor.cancelLocked()
	started := c.started
	e.mu.Unlock()
	switch {
	case c.from != nil:
		c.from.close()
	case started:
		<-c.done
	}
	c.helpers.Wait()
	e.mu.Lock()
	segments := c.loop.Stop()
	e.mu.Unlock()
	c.free(segments)
	if err := c.dev.Close(); err != nil {
		c.device.log("device %s: close: %v", c.device.spec.Name, err)
	}
}

// free frees segments that are in no plan any more.
func (c *capture) free(segments []*segment.Segment) {
	freed := 0
	for _, s := range segments {
		freed += len(s.Chains()) * memberMemory
	}
	c.loop.Free(segments)
	c.device.engine.reclaim.add(freed)
}

// run is the capture goroutine.
func (c *capture) run() {
	defer close(c.done)
	c.compactor.mergeFirst()
	for _, d := range c.derivedNow() {
		d.child.compactor.mergeFirst()
	}
	var sink drivers.Sink = c.loop
	if c.turn != nil {
		c.turn.Begin(c.ctx)
		defer c.turn.End()
		sink = fileSink{c.loop, c}
	}
	err := c.guard(func() error { return c.dev.Run(c.ctx, sink) })
	if err == nil {
		err = c.cause()
	}
	if n := c.dev.Stats().OutOfTime; n > 0 {
		c.device.log("device %s: %d packets have a time before 1970 or after 2106 and count as of the first or the last moment of packet time",
			c.device.spec.Name, n)
	}
	c.finish(err)
}

// finish ends the flows: no more packets come. The capture goroutine calls it.
func (c *capture) finish(err error) {
	e := c.device.engine
	e.mu.Lock()
	c.ended, c.err = true, err // from here on, connect refuses new flows
	e.mu.Unlock()
	if finErr := c.guard(c.loop.Finish); err == nil {
		err = finErr
	}
	c.tell(err)
}

// A fileSink takes the packets of a file. Files are read by turns.
type fileSink struct {
	*datapath.Loop
	capture *capture
}

// Batch implements drivers.Sink.
func (s fileSink) Batch(pkts []drivers.Packet) {
	s.Loop.Batch(pkts)
	s.capture.turn.Check(s.capture.ctx)
}

// Rest implements drivers.Rester.
func (s fileSink) Rest() { s.capture.turn.Rest() }

// Resume implements drivers.Rester.
func (s fileSink) Resume() { s.capture.resume() }

// cause returns the reason given to stop, nil if there was none.
func (c *capture) cause() error {
	if err := context.Cause(c.ctx); err != context.Canceled {
		return err
	}
	return nil
}

// guard turns a panic of a driver or of the loop into an error, which ends this device, never
// the daemon. Panics of functions do not come here: see failed.
func (c *capture) guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = report(c.device.log).fault("device "+c.device.spec.Name+" was stopped", p)
			c.loop.Abandon()
		}
	}()
	return f()
}

// tell marks the flows as finished. It notifies and logs, unless the capture was stopped
// without a cause.
func (c *capture) tell(err error) {
	e := c.device.engine
	e.mu.Lock()
	sessions := make(map[*Session]struct{})
	now := time.Now()
	c.err = err
	for _, f := range c.flowsLocked() { // in the order of the plan
		f.finishedLocked(now)
		sessions[f.session] = struct{}{}
	}
	if c.device.owner != nil && len(c.derived) == 0 {
		sessions[c.device.owner] = struct{}{}
	}
	e.mu.Unlock()
	if c.ctx.Err() != nil && err == nil {
		return
	}
	if err != nil {
		c.device.log("device %s ended: %v", c.device.spec.Name, err)
	}
	for s := range sessions {
		s.notify(Ended{Device: c.device.spec.Name, Err: err})
	}
}

// failed ends the flows for which a function has failed: they finish with 7007. The capture
// goroutine calls it in the middle of a batch, or a goroutine that closes the flow.
func (c *capture) failed(f *chain.Fault, users []*chain.Chain) {
	e := c.device.engine
	err := mapierr.New(mapierr.CouldNotInitFunction, "%s failed: %v; this is a defect of it", f.What, f.Value)
	first := "it was given no packet"
	if f.First != nil {
		first = "the first packet that it was given begins with " + hex.EncodeToString(f.First)
	}
	c.faultLog(users)("device %s: %s failed and ends %d flows: %v; %s\n%s",
		c.device.spec.Name, f.What, len(users), f.Value, first, f.Stack)
	c.faults.Add(1)
	ended := make([]*Flow, 0, len(users))
	now := time.Now()
	e.mu.Lock()
	for _, u := range users {
		if flow := u.Owner.(*Flow); flow.status == FlowActive {
			u.Expel()
			flow.err = err
			flow.abandonResults()
			flow.endRings()
			flow.finishedLocked(now)
			ended = append(ended, flow)
		}
	}
	e.mu.Unlock()
	for _, flow := range ended {
		flow.session.notify(Ended{Device: c.device.spec.Name, FD: flow.fd, Err: err})
	}
}

// faultLog returns where to report that the functions of chains have failed: one of their users may
// have caused it.
func (c *capture) faultLog(users []*chain.Chain) report {
	if len(users) == 0 {
		return c.device.log
	}
	return users[0].Owner.(*Flow).session.log
}

// flowsLocked returns the connected flows. Engine.mu is held.
func (c *capture) flowsLocked() (flows []*Flow) {
	for _, ch := range c.loop.Chains() {
		flows = append(flows, ch.Owner.(*Flow))
	}
	return flows
}

// derivedNow returns the devices that are derived from this one.
func (c *capture) derivedNow() []*derivation {
	c.device.engine.mu.Lock()
	defer c.device.engine.mu.Unlock()
	return c.derived
}

// addLocked connects f, after preparing the flows to which it refers. Engine.mu is held.
func (c *capture) addLocked(f *Flow) {
	for _, t := range f.targetsLocked() {
		t.capture.loop.Bind(t.chain, t.capture == c)
	}
	c.loop.Connect(f.chain, f.inLockstep())
	c.compactor.connectedLocked()
}

// over reports whether the capture has ended.
func (c *capture) over() bool {
	c.device.engine.mu.Lock()
	defer c.device.engine.mu.Unlock()
	return c.ended
}
