package engine

import (
	"errors"
	"fmt"
	"slices"

	"gomapi/flib"
)

// Refer implements flib.Env.
func (e *env) Refer(fd, fid int32) (*flib.Ref, error) {
	s := e.session
	flow, err := s.flow(fd)
	if err != nil {
		return nil, errors.New(err.Error())
	}
	i := slices.IndexFunc(flow.functions, func(a *instance) bool { return a.fid == fid })
	if i < 0 {
		return nil, fmt.Errorf("flow %d has no function %d", fd, fid)
	}
	target := flow.functions[i]
	if target.slot == nil {
		return nil, fmt.Errorf("function %d (%s) of flow %d has no result to read", fid, target.Def.Name, fd)
	}
	r := &reference{target: target, flow: flow, Ref: flib.Ref{Result: target.slot, Live: &target.Live}}
	switch {
	case target.Resetter() == nil:
	case flow.capture == e.capture:
		r.OnReset = target.Reset
	default: // its own capture goroutine resets it
		r.OnReset = func() { target.ResetAsked.Store(true) }
		r.Pending = &target.ResetAsked
	}
	if _, ok := target.Fn.(flib.Publisher); ok && flow.capture == e.capture {
		r.Fresh = func() { flow.chain.PublishFor(&target.Instance) }
	}
	e.instance.refs = append(e.instance.refs, r)
	r.Name = target.Def.Name
	return &r.Ref, nil
}

// ReferFlow implements flib.Env. A flow of the same device counts as connected when the loop
// has begun its chain, so that all functions that wait for it see the same first packet.
func (e *env) ReferFlow(fd int32) (*flib.FlowRef, error) {
	flow, err := e.session.flow(fd)
	if err != nil {
		return nil, errors.New(err.Error())
	}
	if flow.capture == e.capture {
		flow.awaited = true
		return &flow.started, nil
	}
	return &flow.connected, nil
}

// ordered returns the functions in the order in which packets meet them: the order of
// application, except that a flib.Predecessor is moved before the first function that it
// precedes.
func ordered(functions []*instance) []*instance {
	var out []*instance
	for _, a := range functions {
		at := len(out)
		if p, ok := a.Fn.(flib.Predecessor); ok {
			for _, ref := range p.Precedes() {
				i := slices.IndexFunc(out, func(b *instance) bool { return a.refersTo(ref, b) })
				if i >= 0 {
					at = min(at, i)
				}
			}
		}
		out = slices.Insert(out, at, a)
	}
	return out
}

// refersTo reports whether ref is a's reference to b.
func (a *instance) refersTo(ref *flib.Ref, b *instance) bool {
	return slices.ContainsFunc(a.refs, func(r *reference) bool { return &r.Ref == ref && r.target == b })
}

// sever marks the functions of closing flows as dead for functions that refer to them. When
// it returns, nobody reads their results any more. The loops have left the flows before.
func (s *Session) sever(closing []*Flow) {
	for _, f := range closing {
		for _, a := range f.functions {
			a.Live.Store(false)
			a.read(f.capture, -1)
		}
	}
	readers := make(map[*capture]bool)
	for _, f := range closing {
		for _, a := range f.functions {
			for c := range a.readers {
				readers[c] = true
			}
		}
	}
	for c := range readers {
		c.loop.Quiesce(nil) // no wait for a parked loop: it reads nothing
	}
}

// read adds n to the readers that each target of a has in capture c, in which a runs: 1 when
// a is applied, -1 when it is closed. Session.calls is held.
func (a *instance) read(c *capture, n int) {
	for _, r := range a.refs {
		t := r.target
		if t.readers == nil {
			t.readers = make(map[*capture]int)
		}
		if t.readers[c] += n; t.readers[c] == 0 {
			delete(t.readers, c)
		}
	}
}
