package engine

import (
	"context"
	"slices"

	"gomapi/flib"
	"gomapi/internal/bpf"
	"gomapi/internal/mapierr"
	"gomapi/internal/ring"
	"gomapi/internal/table"
)

// env is the engine as a constructor of a function sees it. A function takes all its
// resources through it, so it is charged for them here (see user.go).
type env struct {
	session  *Session
	instance *instance
	capture  *capture
}

// NewResult implements flib.Env.
func (e *env) NewResult(size int) (*flib.Result, error) {
	if e.instance.slot != nil {
		return nil, mapierr.New(mapierr.DaemonShm, "function asks for a second result")
	}
	if err := e.session.charge(e.instance, size+resultMemory); err != nil {
		return nil, err
	}
	slot, err := e.session.memory.Slot(size)
	if err != nil {
		return nil, mapierr.Wrap(mapierr.DaemonShm, "no room for the result", err)
	}
	e.instance.slot = slot
	return slot, nil
}

// LinkType implements flib.Env.
func (e *env) LinkType() uint16 { return e.capture.info.LinkType }

// LinkTypes implements flib.Env.
func (e *env) LinkTypes() []uint16 {
	e.session.engine.mu.Lock()
	seen := slices.Clone(e.capture.linkTypes)
	e.session.engine.mu.Unlock()
	for _, lt := range e.capture.info.LinkTypes {
		if !slices.Contains(seen, lt) {
			seen = append(seen, lt)
		}
	}
	return seen
}

// Live implements flib.Env.
func (e *env) Live() bool { return e.capture.device.owner == nil }

// Park implements flib.Env. A function that is being closed does not park the loop: it waits
// on the control side, or was interrupted and does not wait.
func (e *env) Park(wait func()) {
	if e.instance.Closing.Load() {
		wait()
		return
	}
	e.capture.loop.Park(&e.instance.Instance, wait)
}

// NewRing implements flib.Env.
func (e *env) NewRing(size int) (*flib.Ring, error) { return e.waiting(ring.New(size)) }

// NewRecords implements flib.Env.
func (e *env) NewRecords(size int) (*flib.Records, error) {
	r, err := e.waiting(ring.NewRecords(size))
	if err != nil {
		return nil, err
	}
	return flib.NewRecords(r, !e.Live()), nil
}

// waiting owns a new ring whose writer may wait.
func (e *env) waiting(r *flib.Ring, err error) (*flib.Ring, error) {
	if err = e.own(r, err); err != nil {
		return nil, err
	}
	if loop := e.capture.loop; !e.Live() {
		r.Waits = func(begin bool) { loop.AwaitReader(&e.instance.Instance, begin) }
	}
	return r, nil
}

// NewSeries implements flib.Env.
func (e *env) NewSeries(size, n int) (*flib.Ring, error) {
	r, err := ring.NewSeries(size, n)
	if err = e.own(r, err); err != nil {
		return nil, err
	}
	e.instance.entry = int32(size)
	return r, nil
}

// own charges a new ring to the user, or closes it.
func (e *env) own(r *flib.Ring, err error) error {
	switch {
	case err != nil:
		return err
	case e.instance.Ring != nil:
		err = mapierr.New(mapierr.DaemonShm, "function asks for a second packet buffer")
	case e.Live():
		err = e.session.chargeRing(e.instance, r.Footprint())
		r.Grant = func(bytes int) bool { return e.session.grant(e.instance, bytes) }
	default: // all of it, because no packet of a file may be lost for want of memory
		err = e.session.chargeRing(e.instance, r.Footprint()+r.Unbacked())
	}
	if err != nil {
		r.Close()
		return err
	}
	e.instance.Ring = r
	return nil
}

// Quota implements flib.Env.
func (e *env) Quota() table.Quota {
	r := e.instance.rarely()
	if r.state == nil {
		r.state = &stateQuota{user: e.session.user}
	}
	return r.state
}

// AtClose implements flib.Env.
func (e *env) AtClose(f func()) {
	r := e.instance.rarely()
	r.atClose = append(r.atClose, f)
}

// Compile implements flib.Env.
func (e *env) Compile(ctx context.Context, expr string, linkType uint16) (*bpf.Program, error) {
	s := e.session
	end, err := s.engine.turns.compiling.Enter(ctx, s.payer()) // root waits too
	if err != nil {
		return nil, mapierr.Wrap(mapierr.PcapOpenDead, "gave up waiting for the filter compiler", err)
	}
	defer end()
	p, err := s.engine.opts.Compiler.Compile(ctx, expr, linkType)
	if err != nil {
		return nil, err
	}
	return p, s.charge(e.instance, instructionMemory*p.Len())
}
