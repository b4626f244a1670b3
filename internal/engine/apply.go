package engine

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"unique"

	"gomapi/flib"
	"gomapi/internal/bpf"
	"gomapi/internal/mapierr"
	"gomapi/internal/ring"
)

// Applied tells about a function that was applied.
type Applied struct {
	FID       int32
	DevType   string // of the variant that was taken
	HasResult bool
	Offset    uint32 // place of the result in the result memory
	Size      int    // of the result in bytes
	// Ring is the packet buffer of the function, nil without one. Its files are
	// for the client, and to be closed when they were sent.
	Ring *flib.Ring
	// Entry is the size of an entry in bytes when Ring holds a series.
	Entry int
}

// Apply adds a function at the end of a flow that is not connected yet. Args
// are int64, uint64, string or flib.OpenFile values; it takes over the files. Errors: 6145 no such flow, 7006 connected
// already, 6144 no such function, 7000 to 7005 and 7011 bad arguments, and those
// of the function.
func (s *Session) Apply(ctx context.Context, fd int32, name string, args []any) (_ Applied, err error) {
	defer func() {
		if err != nil {
			CloseFiles(args)
		}
	}()
	if err := s.enter(); err != nil {
		return Applied{}, err
	}
	defer s.calls.Unlock()
	f, err := s.flow(fd)
	if err != nil {
		return Applied{}, err
	}
	defer func() { s.note(f, name, err) }()
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
	fid, err := f.capture.device.nextFid()
	if err != nil {
		return Applied{}, err
	}
	a := &applied{fid: fid, def: found.Def, library: found.Library}
	if err := s.instantiate(ctx, f, a, args); err != nil {
		return Applied{}, err
	}
	s.engine.mu.Lock()
	f.functions = append(f.functions, a)
	s.engine.mu.Unlock()
	a.read(f.capture, 1)
	reply := Applied{FID: a.fid, DevType: a.def.Type(), Ring: a.ring, Entry: a.entry}
	if a.slot != nil {
		reply.HasResult, reply.Offset, reply.Size = true, a.slot.Offset(), a.slot.Size()
	}
	return reply, nil
}

// NotApplied says that a function could not be applied to a flow, before that was
// tried.
func (s *Session) NotApplied(fd int32, name string, err error) {
	if f, e := s.flow(fd); e == nil {
		s.note(f, name, err)
	}
}

// note takes down whether a function was applied, for connect.
func (s *Session) note(f *Flow, name string, err error) {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	f.unhidden.Note(name, err)
}

// nextFid gives a function id. A failed apply uses one up. When all numbers were
// given once, those that no flow has any more come again.
func (d *device) nextFid() (int32, error) {
	d.engine.mu.Lock()
	defer d.engine.mu.Unlock()
	if d.lastFid < math.MaxInt32 {
		d.lastFid++
		return d.lastFid, nil
	}
	used := make(map[int32]bool)
	for f := range d.engine.flows.all() {
		for _, a := range f.functions {
			used[a.fid] = true
		}
	}
	for fid := int32(1); fid < math.MaxInt32; fid++ {
		if !used[fid] {
			return fid, nil
		}
	}
	return 0, mapierr.New(mapierr.CouldNotApplyFunction, "device %s has no function numbers left", d.spec.Name)
}

// instantiate checks the arguments and makes the instance of a.
func (s *Session) instantiate(ctx context.Context, f *Flow, a *applied, raw []any) error {
	args, err := a.def.Check(raw)
	if err != nil {
		return err
	}
	env := &env{session: s, applied: a, capture: f.capture}
	err = s.engine.safely("applying "+a.def.Name, func() (err error) {
		a.fn, err = a.def.New(ctx, env, args)
		return err
	})
	if err != nil {
		s.free(a)
		return coded(mapierr.CouldNotApplyFunction, err)
	}
	CloseFiles(raw[min(len(raw), len(a.def.Args)):]) // surplus ones
	a.args = args
	a.classifier, _ = a.fn.(flib.Classifier)
	return nil
}

// setKind gives the function its kind if it can be shared. It is of one length, however long
// the arguments are.
func (a *applied) setKind() {
	if a.classifier == nil && a.summer() == nil && a.searcher() == nil || a.def.Modifies {
		return
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s%#v", a.def.Name, a.args)
	a.kind = unique.Make(string(h.Sum(nil)))
}

// CloseFiles closes the files among arguments that no function has taken over.
func CloseFiles(args []any) {
	for _, a := range args {
		if f, ok := a.(flib.OpenFile); ok {
			f.Close()
		}
	}
}

// free gives back what a has taken of memory.
func (s *Session) free(a *applied) {
	s.engine.mu.Lock()
	s.user.instructions -= a.instructions
	if a.buffer > 0 {
		s.user.buffers -= a.buffer
		s.user.rings--
		s.engine.rings--
	}
	a.instructions, a.buffer = 0, 0
	s.engine.mu.Unlock()
	if a.slot != nil {
		s.segment.FreeSlot(a.slot)
		a.slot = nil
	}
	if a.ring != nil {
		a.ring.CloseFiles()
		if err := a.ring.Close(); err != nil {
			s.engine.opts.Log("close a packet buffer: %v", err)
		}
		a.ring = nil
	}
}

// env is what a constructor sees of the engine.
type env struct {
	session *Session
	applied *applied
	capture *capture
}

// NewResult implements flib.Env.
func (e *env) NewResult(size int) (*flib.Result, error) {
	if e.applied.slot != nil {
		return nil, mapierr.New(mapierr.DaemonShm, "function asks for a second result")
	}
	slot, err := e.session.segment.Slot(size)
	if err != nil {
		return nil, mapierr.Wrap(mapierr.DaemonShm, "no room for the result", err)
	}
	e.applied.slot = slot
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

// Park implements flib.Env. A function that is being closed waits on the control side, or
// was interrupted and waits no more.
func (e *env) Park(wait func()) {
	if e.applied.closing.Load() {
		wait()
		return
	}
	loop := e.capture.loop
	loop.handAll()
	loop.setParked(e.applied)
	wait()
	loop.setParked(nil)
}

// NewRing implements flib.Env.
func (e *env) NewRing(size int) (*flib.Ring, error) {
	r, err := ring.New(size)
	if err = e.own(r, err); err != nil {
		return nil, err
	}
	if loop := e.capture.loop; !e.Live() {
		r.Waits = func(begin bool) { loop.waits(e.applied, begin) }
	}
	return r, nil
}

// NewSeries implements flib.Env.
func (e *env) NewSeries(size, n int) (*flib.Ring, error) {
	r, err := ring.NewSeries(size, n)
	if err = e.own(r, err); err != nil {
		return nil, err
	}
	e.applied.entry = size
	return r, nil
}

// own puts a ring that was just made on the user's account, or closes it.
func (e *env) own(r *flib.Ring, err error) error {
	switch {
	case err != nil:
		return err
	case e.applied.ring != nil:
		err = mapierr.New(mapierr.DaemonShm, "function asks for a second packet buffer")
	default:
		err = e.session.reserve(e.applied, r.Footprint())
	}
	if err != nil {
		r.Close()
		return err
	}
	e.applied.ring = r
	return nil
}

// Compile implements flib.Env.
func (e *env) Compile(ctx context.Context, expr string, linkType uint16) (*bpf.Program, error) {
	s := e.session
	if err := s.user.beginCompile(ctx); err != nil {
		return nil, err
	}
	p, err := s.engine.opts.Compiler.Compile(ctx, expr, linkType)
	s.user.endCompile()
	if err != nil {
		return nil, err
	}
	return p, s.charge(e.applied, p.Len())
}
