package engine

import (
	"context"
	"fmt"
	"slices"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/account"
	"gomapi/internal/funccall"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
)

// sinkDef describes the last function of inner flows to the engine.
var sinkDef = &flib.Def{Name: "derived device"}

// derivedSum is what a derived device takes besides its flows and functions.
var derivedSum = account.Sum{account.Descriptors: 1, account.Memory: derivedMemory}

// Process hands packets to the derived device. It copies the views, because a loop takes packets
// that are contiguous in memory, not the bytes. Nobody behind it can reach bytes that a forced
// function has cut off.
func (d *derivation) Process(in []*flib.Packet) []*flib.Packet {
	pkts := d.pkts[:len(in)] // no list is longer than a batch
	last, truncated, outOfTime := uint64(0), uint64(0), uint64(0)
	for i, p := range in {
		pkts[i] = *p
		pkts[i].Link = p.Link[:len(p.Link):len(p.Link)]
		last = p.TS
		truncated += uint64(p.Flags & pkt.Truncated / pkt.Truncated)
		outOfTime += uint64(p.Flags & pkt.OutOfTime / pkt.OutOfTime)
	}
	d.truncated.Add(truncated)
	d.outOfTime.Add(outOfTime)
	d.received.Add(uint64(len(in)))
	d.deliver(pkts)
	d.last.Store(last)
	return in
}

// deliver runs a batch. If the loop itself panics, which no function of the derived device can cause,
// the inner flow ends.
func (d *derivation) deliver(pkts []pkt.Packet) {
	whole := false
	defer func() {
		if !whole {
			d.child.loop.Abandon()
		}
	}()
	d.child.loop.Batch(pkts)
	whole = true
}

// End implements flib.Finisher: the parent has ended, or the inner flow is closed.
func (d *derivation) End() []*flib.Packet {
	d.conclude()
	return nil
}

// conclude ends the derived device, once.
func (d *derivation) conclude() {
	d.over.Do(func() {
		e := d.parent.device.engine
		e.mu.Lock()
		err := d.parent.err
		if d.flow.err != nil {
			err = d.flow.err
		}
		e.mu.Unlock()
		if cause := d.child.cause(); cause != nil {
			err = cause
		}
		d.child.finish(err)
		close(d.child.done)
	})
}

// Info implements drivers.Device: programs see the parent. Functions that emit may put packets out
// of order.
func (d *derivation) Info() drivers.Info { return d.parent.info }

// Run implements drivers.Device. It is not called: the goroutine is that of the parent.
func (d *derivation) Run(context.Context, drivers.Sink) error { return nil }

// Close implements drivers.Device.
func (d *derivation) Close() error { return nil }

// Absent implements drivers.Presence.
func (d *derivation) Absent() bool {
	p, ok := d.parent.dev.(drivers.Presence)
	return ok && p.Absent()
}

// Stats implements drivers.Device. It counts what has left the forced functions. How many packets the
// parent has lost, or has passed by, is not for those who use the derived device, but that it has is.
func (d *derivation) Stats() drivers.Stats {
	of := d.parent.dev.Stats()
	losses := max(of.Freezes-d.before.Freezes, min(of.Drop-d.before.Drop, 1))
	if d.passedBy() {
		losses++
	}
	return drivers.Stats{
		Recv: d.received.Load(), Truncated: d.truncated.Load(), OutOfTime: d.outOfTime.Load(),
		UnknownLosses: losses, Reopens: of.Reopens - d.before.Reopens,
		LinkState: of.LinkState, LastPacketTS: d.last.Load(),
	}
}

// passedBy reports whether the inner flow has missed packets because it was passed by.
func (d *derivation) passedBy() bool {
	e := d.parent.device.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	missed, unserved := d.parent.loop.Missed(d.flow.chain)
	return missed+unserved > 0
}

// rest and resume park the parent while a function of the derived device waits for a client.
func (d *derivation) rest()   { d.parent.loop.Suspend(&d.sink.Instance) }
func (d *derivation) resume() { d.parent.loop.Proceed() }

// derive opens a derived device.
func (d *device) derive(ctx context.Context) (*capture, error) {
	x := &derivation{}
	s, err := d.engine.newSession(d.recipe.owner, derivedSum, func(Ended) { x.conclude() })
	if err != nil {
		return nil, err
	}
	x.session = s
	if err := x.open(ctx, d); err != nil {
		s.Close()
		return nil, err
	}
	return x.child, nil
}

// open makes the inner flow, on which the packets of d begin to come.
func (x *derivation) open(ctx context.Context, d *device) (err error) {
	s, e := x.session, d.engine
	s.calls.Lock()
	defer s.calls.Unlock()
	if x.parent, err = d.recipe.parent.acquire(ctx); err != nil {
		return err
	}
	if x.flow, err = s.innerFlow(x.parent); err != nil {
		x.parent.device.release(1)
		return err
	}
	x.before = x.parent.dev.Stats()
	for _, call := range d.recipe.calls {
		if err := x.force(ctx, call); err != nil {
			what := fmt.Sprintf("device %s: %s is forced on your flows there and cannot run", d.spec.Name, call.Name)
			return mapierr.Wrap(mapierr.CodeOf(err, mapierr.CouldNotApplyFunction), what, err)
		}
	}
	x.sink = &instance{}
	x.sink.Def, x.sink.Fn = sinkDef, x
	x.flow.functions = append(x.flow.functions, x.sink)
	x.child = newCapture(d, x, x)
	if x.parent.turn == nil {
		x.child.start()
	}
	if err := s.connect(ctx, x.flow); err != nil {
		x.child.cancel(nil)
		return coded(mapierr.CouldNotInitFunction, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	x.parent.derived = append(x.parent.derived, x)
	x.parent.loop.Derive(x.child.loop, x.flow.chain)
	return nil
}

// innerFlow makes a flow that is in no list but that of its own session. s.calls is held.
func (s *Session) innerFlow(c *capture) (*Flow, error) {
	place, err := s.newPlace()
	if err != nil {
		return nil, err
	}
	e := s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lastFlow++
	f := &Flow{id: e.lastFlow, fd: 1, session: s, capture: c, place: place}
	s.flows.add(f.fd, f)
	return f, nil
}

// force applies a function to the inner flow. One that has a buffer would wait for a reader that
// nobody is.
func (x *derivation) force(ctx context.Context, call funccall.Call) error {
	s := x.session
	forms, err := s.engine.opts.Functions.Hold(call.Name, x.parent.info.DevType)
	if err != nil {
		return err
	}
	defer flib.Release(forms)
	for _, form := range forms {
		if _, err := form.Def.CheckCall(&call); err != nil {
			return err
		}
	}
	a, err := s.instantiateFirst(ctx, x.flow, int32(len(x.flow.functions)+1), forms, call.Values())
	if err != nil {
		return err
	}
	x.flow.functions = append(x.flow.functions, a)
	if a.Ring != nil {
		return mapierr.New(mapierr.CouldNotApplyFunction, "the function has a buffer, which nobody would read")
	}
	return nil
}

// close ends the inner flow and the derived device with it. A capture file ends, too: it has no other
// flow.
func (x *derivation) close() {
	e := x.parent.device.engine
	e.mu.Lock()
	x.parent.withheld += x.withheldLocked()
	x.parent.derived = slices.DeleteFunc(slices.Clone(x.parent.derived), func(d *derivation) bool { return d == x })
	x.parent.loop.Forsake(x.flow.chain)
	e.mu.Unlock()
	x.session.Close()
	x.conclude()
	if x.parent.device.owner != nil {
		x.parent.device.delete(nil)
	}
}
