package engine

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gomapi/drivers"
)

// A capture is one opening of a device: from Open to Close, with the goroutine
// that runs it and the flows connected to it.
type capture struct {
	device  *device
	opening uint64 // its number, over all devices
	dev     drivers.Device
	info    drivers.Info
	loop    *loop
	// lostByClosed counts packets that functions of closed flows have lost.
	lostByClosed atomic.Uint64

	ctx    context.Context         // ends when the capture is to stop
	cancel context.CancelCauseFunc // nil: no reason that concerns the flows
	done   chan struct{}           // closed when the capture goroutine is gone

	// types is held while filters are compiled for a link type: by connect,
	// and by the capture goroutine of a file that brings a new one.
	types sync.Mutex

	// The rest is guarded by Engine.mu.
	connected int // flows that were connected, also after the end, and not closed
	settler   settler
	fresh     []*chain // those that the loop may not know; plans share its memory
	freshGen  uint64   // plan that brought the last of fresh
	linkTypes []uint16 // seen so far
	started   bool
	ended     bool  // no packet will come any more
	err       error // why, nil at the end of a file
}

func newCapture(d *device, dev drivers.Device) *capture {
	c := &capture{
		device: d, opening: d.engine.openings.Add(1), dev: dev, info: dev.Info(), done: make(chan struct{}),
	}
	c.linkTypes = []uint16{c.info.LinkType}
	c.settler.capture = c
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.loop = newLoop(c)
	return c
}

// start runs the device on a goroutine of its own, which stop waits for. It
// does nothing when the device was started or stopped before.
func (c *capture) start() {
	e := c.device.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.started || c.ctx.Err() != nil {
		return
	}
	c.started = true
	go c.run()
}

// stop ends the capture; its flows finish with cause. It returns when its
// goroutine is gone and the device is closed. A nil capture has stopped.
func (c *capture) stop(cause error) {
	if c == nil {
		return
	}
	e := c.device.engine
	e.mu.Lock()
	c.cancel(cause)
	c.settler.cancel()
	started := c.started
	e.mu.Unlock()
	if started {
		<-c.done
	}
	e.mu.Lock()
	levels := c.loop.plan.Load().levels
	c.publish(func(next *plan) { next.levels = nil })
	e.mu.Unlock()
	c.loop.free(levels)
	if err := c.dev.Close(); err != nil {
		e.opts.Log("device %s: close: %v", c.device.spec.Name, err)
	}
}

// run is the capture goroutine.
func (c *capture) run() {
	defer close(c.done)
	c.settler.settleFirst()
	err := c.guard(func() error { return c.dev.Run(c.ctx, c.loop) })
	if err == nil {
		err = c.cause()
	}
	e := c.device.engine
	if n := c.dev.Stats().OutOfTime; n > 0 {
		e.opts.Log("device %s: %d packets are of before 1970 or after 2106, and count as of the first or the last moment of packet time",
			c.device.spec.Name, n)
	}
	e.mu.Lock()
	c.ended, c.err = true, err // from here on, connect ends new flows itself
	e.mu.Unlock()
	if finErr := c.guard(c.loop.finish); err == nil {
		err = finErr
	}
	c.tell(err)
}

// cause returns the reason that stop was given, nil without one.
func (c *capture) cause() error {
	if err := context.Cause(c.ctx); err != context.Canceled {
		return err
	}
	return nil
}

// guard turns a panic of a driver or function into an error: it ends this
// device, never the daemon.
func (c *capture) guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = c.device.engine.fault("device "+c.device.spec.Name+" was stopped", p)
			c.loop.abandon()
		}
	}()
	return f()
}

// tell marks the flows as finished and lets their owners know, unless the
// capture was stopped by intention.
func (c *capture) tell(err error) {
	e := c.device.engine
	e.mu.Lock()
	sessions := make(map[*Session]struct{})
	now := time.Now()
	c.err = err
	for _, ch := range alive(c.loop.plan.Load().chains) { // as they lie in memory
		ch.flow.finished(now)
		sessions[ch.flow.session] = struct{}{}
	}
	if c.device.owner != nil {
		sessions[c.device.owner] = struct{}{}
	}
	e.mu.Unlock()
	if c.ctx.Err() != nil && err == nil {
		return
	}
	if err != nil {
		e.opts.Log("device %s ended: %v", c.device.spec.Name, err)
	}
	for s := range sessions {
		s.notify(c.device.spec.Name, err)
	}
}

// publish hands a plan to the loop that follows the present one with some change.
// Engine.mu is held.
func (c *capture) publish(change func(next *plan)) {
	if c.loop.seen.Load() >= c.freshGen {
		c.fresh = nil
	}
	next := c.loop.plan.Load().follow(c.fresh)
	change(next)
	c.loop.plan.Store(next)
}

// renew makes the loop look at a chain that is new or has changed. It is for changes
// of publish.
func (c *capture) renew(next *plan, ch *chain) {
	c.fresh = append(c.fresh, ch)
	next.fresh = c.fresh
	c.freshGen = next.gen
}

// add connects f: its chain is the last of the next plan. Those that it refers to are
// prepared before. Engine.mu is held.
func (c *capture) add(f *Flow) {
	for _, t := range f.targets() {
		t.capture.publish(func(next *plan) { t.capture.bind(next, t.chain, t.capture == c) })
	}
	c.publish(func(next *plan) {
		next.add(f.chain)
		if c.started {
			c.renew(next, f.chain)
		} else {
			c.loop.takeUp(f.chain) // it is in the cache still
		}
		if f.isTied() {
			next.tie(f.chain)
		}
	})
	c.settler.connected()
}

// bind prepares a chain for one that reads a result of it: it is tied if that is on
// the same device, and runs as one with others no more.
func (c *capture) bind(next *plan, ch *chain, tie bool) {
	if tie && !ch.tied {
		next.tie(ch)
	}
	ch.alone = true
	ch.looked.Store(true)
	if !ch.shares {
		return
	}
	ch.level.dead++
	ch.level, ch.shares = nil, false
	ch.leaves.Store(true)
	next.loose = append(next.loose, ch)
	c.renew(next, ch)
}

// over reports whether no packet will come any more.
func (c *capture) over() bool {
	c.device.engine.mu.Lock()
	defer c.device.engine.mu.Unlock()
	return c.ended
}

// addLinkType prepares all filters of the device for packets of a link type
// that it has not seen before. The capture goroutine of a file calls it between
// batches and waits; live devices have one link type.
func (c *capture) addLinkType(linkType uint16) {
	c.types.Lock()
	defer c.types.Unlock()
	e := c.device.engine
	e.mu.Lock()
	chains := alive(c.loop.plan.Load().chains)
	e.mu.Unlock()
	for _, ch := range chains {
		if err := ch.flow.prepare(c.ctx, linkType); c.ctx.Err() != nil {
			return // stopped: the batch is of no interest any more
		} else if err != nil {
			e.opts.Log("device %s: flow %d has no filter for link type %d: %v", c.device.spec.Name, ch.id, linkType, err)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	c.linkTypes = append(slices.Clone(c.linkTypes), linkType)
	old := c.loop.plan.Load().levels
	c.publish(func(next *plan) { next.unsettle(c.linkTypes) })
	c.settler.retire(old)
	c.settler.stir()
}
