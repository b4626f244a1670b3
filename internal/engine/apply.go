package engine

import (
	"context"

	"gomapi/flib"
	"gomapi/internal/filter"
	"gomapi/internal/mapierr"
	"gomapi/internal/shm"
)

// Applied tells about a function that was applied.
type Applied struct {
	FID       int32
	DevType   string // of the variant that was taken
	HasResult bool
	Offset    uint32 // place of the result in the result memory
	Size      int    // of the result in bytes
}

// Apply adds a function at the end of a flow that is not connected yet. Args
// are int64, uint64 or string values. Errors: 6145 no such flow, 7006 connected
// already, 6144 no such function, 7000 to 7005 and 7011 bad arguments, and those
// of the function.
func (s *Session) Apply(ctx context.Context, fd int32, name string, args []any) (Applied, error) {
	if err := s.enter(); err != nil {
		return Applied{}, err
	}
	defer s.calls.Unlock()
	f, err := s.flow(fd)
	if err != nil {
		return Applied{}, err
	}
	if f.chain != nil {
		return Applied{}, mapierr.New(mapierr.CouldNotApplyFunction,
			"flow %d is connected: functions are applied before", fd)
	}
	if len(f.functions) >= maxFunctions {
		return Applied{}, mapierr.New(mapierr.CouldNotApplyFunction,
			"flow %d has %d functions, more are not allowed", fd, maxFunctions)
	}
	found, err := s.engine.opts.Functions.Find(name, f.capture.info.DevType)
	if err != nil {
		return Applied{}, err
	}
	a := &applied{fid: f.capture.device.nextFid(), def: found.Def, library: found.Library}
	if err := s.instantiate(ctx, f, a, args); err != nil {
		return Applied{}, err
	}
	s.engine.mu.Lock()
	f.functions = append(f.functions, a)
	s.engine.mu.Unlock()
	reply := Applied{FID: a.fid, DevType: a.def.Type()}
	if a.slot != nil {
		reply.HasResult, reply.Offset, reply.Size = true, a.slot.Offset(), a.slot.Size()
	}
	return reply, nil
}

// nextFid gives a function id. A failed apply uses one up.
func (d *device) nextFid() int32 {
	d.engine.mu.Lock()
	defer d.engine.mu.Unlock()
	d.lastFid++
	return d.lastFid
}

// instantiate checks the arguments and makes the instance of a.
func (s *Session) instantiate(ctx context.Context, f *Flow, a *applied, raw []any) error {
	args, err := a.def.Check(raw)
	if err != nil {
		return err
	}
	env := &env{session: s, linkType: f.capture.info.LinkType}
	a.fn, err = a.def.New(ctx, env, args)
	a.slot = env.slot
	if err != nil {
		s.free(a)
		return coded(mapierr.CouldNotApplyFunction, err)
	}
	a.classifier, _ = a.fn.(flib.Classifier)
	return nil
}

// free gives the result memory of a back.
func (s *Session) free(a *applied) {
	if a.slot != nil {
		s.segment.FreeSlot(a.slot)
		a.slot = nil
	}
}

// env is what a constructor sees of the engine.
type env struct {
	session  *Session
	linkType uint16
	slot     *shm.Slot
}

// NewResult implements flib.Env.
func (e *env) NewResult(size int) (*flib.Result, error) {
	if e.slot != nil {
		return nil, mapierr.New(mapierr.DaemonShm, "function asks for a second result")
	}
	slot, err := e.session.segment.Slot(size)
	if err != nil {
		return nil, mapierr.Wrap(mapierr.DaemonShm, "no room for the result", err)
	}
	e.slot = slot
	return slot, nil
}

// LinkType implements flib.Env.
func (e *env) LinkType() uint16 { return e.linkType }

// Compile implements flib.Env.
func (e *env) Compile(ctx context.Context, expr string, linkType uint16) (*filter.Program, error) {
	return e.session.engine.opts.Compiler.Compile(ctx, expr, linkType)
}
