package engine

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"unique"

	"gomapi/flib"
	"gomapi/internal/mapierr"
	"gomapi/internal/policy"
)

// Applied describes a function that was applied.
type Applied struct {
	FID       int32
	DevType   string // of the definition that was chosen
	HasResult bool
	Offset    uint32 // of the result in the result memory
	Size      int    // of the result in bytes
	// Ring is the packet buffer of the function, nil without one. Its files are
	// for the client. The caller closes them when they are sent.
	Ring *flib.Ring
	// Entry is the size of an entry in bytes when Ring holds a series.
	Entry int
}

// Apply adds a function at the end of a flow that is not connected yet. Args are int64,
// uint64, string or flib.OpenFile values. Apply owns the files, also after an error. Errors:
// 6145 no such flow, 7006 connected already, 6144 no such function, 8003 or 8001 not allowed by the
// policy, 7000 to 7005 and 7011 bad arguments, and those of the function. If the function for the device's own type
// refuses with 7006, the one for a less specific type is tried.
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
			"flow %d is connected already: apply functions before connecting", fd)
	}
	if len(f.functions) >= maxFunctions {
		return Applied{}, mapierr.New(mapierr.CouldNotApplyFunction,
			"flow %d has %d functions, more are not allowed", fd, maxFunctions)
	}
	forms, err := s.engine.opts.Functions.Hold(name, f.capture.info.DevType)
	if err != nil {
		return Applied{}, err
	}
	defer flib.Release(forms)
	allowed, err := permitted(s.Rights(), forms)
	if err != nil {
		return Applied{}, err
	}
	fid, err := f.capture.device.nextFid()
	if err != nil {
		return Applied{}, err
	}
	a, err := s.instantiateFirst(ctx, f, fid, allowed, args)
	if err != nil {
		return Applied{}, err
	}
	s.engine.mu.Lock()
	f.functions = append(f.functions, a)
	s.engine.mu.Unlock()
	a.read(f.capture, 1)
	reply := Applied{FID: a.fid, DevType: a.Def.Type(), Ring: a.Ring, Entry: int(a.entry)}
	if a.slot != nil {
		reply.HasResult, reply.Offset, reply.Size = true, a.slot.Offset(), a.slot.Size()
	}
	return reply, nil
}

// permitted returns the forms of a function that a grant allows, or the refusal of the first.
func permitted(g *policy.Grant, forms []flib.Found) (list []flib.Found, first error) {
	for _, form := range forms {
		if err := mayApply(g, form.Def, form.Library); err == nil {
			list = append(list, form)
		} else if first == nil {
			first = err
		}
	}
	if len(list) > 0 {
		return list, nil
	}
	return nil, first
}

// mayApply returns nil if a grant allows a function, else the refusal.
func mayApply(g *policy.Grant, def *flib.Def, lib *flib.Loaded) error {
	writes := slices.ContainsFunc(def.Args, func(a flib.Arg) bool { return a.Kind == flib.File })
	return g.Apply(lib.Name, def.Name, writes)
}

// NotApplied records that a function could not be applied to a flow, for errors before Apply.
func (s *Session) NotApplied(fd int32, name string, err error) {
	if f, e := s.flow(fd); e == nil {
		s.note(f, name, err)
	}
}

// note records whether a function was applied. Connect asks for it.
func (s *Session) note(f *Flow, name string, err error) {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	f.unhidden.Note(name, err)
}

// nextFid returns a new function id. A failed apply uses one up. When all numbers were given
// once, it reuses those of closed flows.
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

// instantiateFirst makes an instance of the first form that does not refuse. If the last one
// refuses too, the error is its own, and names the device types that have refused before.
func (s *Session) instantiateFirst(ctx context.Context, f *Flow, fid int32, forms []flib.Found, args []any) (*instance, error) {
	refusals := ""
	for i, form := range forms {
		form.Library.Hold() // for the instance; it is not closed, because forms are held
		a := &instance{fid: fid, library: form.Library, held: true}
		a.Def = form.Def
		if err := s.charge(a, functionMemory+textMemory*texts(args)); err != nil {
			s.free(a)
			return nil, err
		}
		refused, err := s.instantiate(ctx, f, a, args)
		switch {
		case err == nil:
			return a, nil
		case !refused || i == len(forms)-1:
			if refusals != "" {
				err = fmt.Errorf("%w%s", err, refusals)
			}
			return nil, err
		}
		refusals += fmt.Sprintf("; for device type %s: %v", a.Def.Type(), err)
	}
	return nil, nil // not reached: there is a form
}

// texts returns the length of all texts among arguments.
func texts(args []any) (n int) {
	for _, a := range args {
		switch v := a.(type) {
		case string:
			n += len(v)
		case flib.OpenFile:
			n += len(v.Path)
		}
	}
	return n
}

// instantiate checks the arguments and makes the instance of a. It reports whether the
// function itself has refused with 7006.
func (s *Session) instantiate(ctx context.Context, f *Flow, a *instance, raw []any) (refused bool, _ error) {
	args, err := a.Def.Check(raw)
	if err != nil {
		s.free(a)
		return false, err
	}
	env := &env{session: s, instance: a, capture: f.capture}
	err = s.safely("applying "+a.Def.Name, func() (err error) {
		a.Fn, err = a.Def.New(ctx, env, args)
		refused = mapierr.CodeOf(err, 0) == mapierr.CouldNotApplyFunction
		return err
	})
	if err != nil {
		s.free(a)
		return refused, coded(mapierr.CouldNotApplyFunction, err)
	}
	CloseFiles(raw[min(len(raw), len(a.Def.Args)):]) // surplus arguments
	a.args = args
	a.Classifier, _ = a.Fn.(flib.Classifier)
	return false, nil
}

// setShareKey decides which functions are equal, so that two flows can share one, such as a
// counter: functions with equal keys at the same place of the tree become one node (see
// segment.builder). A function gets a key if it picks packets without a state of its own, adds
// up or searches, and does not modify packets. The key is a hash of the arguments and of the definition, because
// functions of two libraries may have the same name.
func (a *instance) setShareKey() {
	stateless := a.stateless()
	if !stateless && a.Classifier == nil && a.Accumulator() == nil && a.Searcher() == nil || a.Def.Modifies {
		return
	}
	h := sha256.New()
	fmt.Fprintf(h, "%p %#v", a.Def, a.args)
	a.ShareKey = unique.Make(string(h.Sum(nil)))
}

// stateless reports whether the function has no state and nothing that is closed: a segment may
// call it for other flows after its own flow is closed.
func (a *instance) stateless() bool {
	_, ok := a.Fn.(flib.Stateless)
	_, closes := a.Fn.(flib.Closer)
	return ok && !closes && a.slot == nil && a.Ring == nil && (a.rare == nil || a.rare.state == nil && len(a.rare.atClose) == 0)
}

// CloseFiles closes the files among arguments.
func CloseFiles(args []any) {
	for _, a := range args {
		if f, ok := a.(flib.OpenFile); ok {
			f.Close()
		}
	}
}

// free frees the slot and ring of a, and gives back what it has taken.
func (s *Session) free(a *instance) {
	s.freeRare(a)
	if a.held { // after everything else of the instance
		a.held = false
		defer a.library.Release()
	}
	if a.slot != nil {
		s.memory.FreeSlot(a.slot)
		a.slot = nil
	}
	if a.Ring != nil {
		s.freeRing(a.Ring)
		a.Ring = nil
	}
	s.refund(a)
}

// freeRing takes the memory of a ring back, or leaves it to the client.
func (s *Session) freeRing(r *flib.Ring) {
	free := r.Close
	if s.engine.leaving.Load() {
		free = r.Leave
	}
	if err := free(); err != nil {
		s.log("close a packet buffer: %v", err)
	}
}

// freeRare is the part of free for what few instances have.
func (s *Session) freeRare(a *instance) {
	r := a.rare
	if r == nil {
		return
	}
	for _, asked := range r.analysers {
		asked.forget(a)
	}
	for _, f := range r.atClose {
		_ = s.safely("closing "+a.Def.Name, func() error { f(); return nil }) // logged
	}
	if q := r.state; q != nil {
		q.Release(int(q.charged.Load())) // what the function has forgotten
	}
	a.rare = nil
}
