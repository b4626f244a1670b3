package engine

import (
	"errors"
	"fmt"
	"slices"

	"gomapi/flib"
	"gomapi/internal/pkt"
)

// A reference is what a function has of another one. All of it is fixed when the
// function is applied.
type reference struct {
	flib.Ref
	target *applied
	flow   *Flow // of the target
}

// Refer implements flib.Env.
func (e *env) Refer(fd, fid int32) (*flib.Ref, error) {
	s := e.session
	flow, err := s.flow(fd)
	if err != nil {
		return nil, errors.New(err.Error())
	}
	i := slices.IndexFunc(flow.functions, func(a *applied) bool { return a.fid == fid })
	if i < 0 {
		return nil, fmt.Errorf("flow %d has no function %d", fd, fid)
	}
	target := flow.functions[i]
	if target.slot == nil {
		return nil, fmt.Errorf("function %d (%s) of flow %d has no result that could be read", fid, target.def.Name, fd)
	}
	r := &reference{target: target, flow: flow, Ref: flib.Ref{Result: target.slot, Live: &target.live}}
	switch {
	case target.resetter() == nil:
	case flow.capture == e.capture:
		r.OnReset = target.reset
	default: // another goroutine's
		r.OnReset = func() { target.resetAsked.Store(true) }
		r.Pending = &target.resetAsked
	}
	e.applied.refs = append(e.applied.refs, r)
	r.Name = target.def.Name
	return &r.Ref, nil
}

// reset is for the capture goroutine of the function, which may be closed at any
// moment.
func (a *applied) reset() {
	if !a.closing.Load() {
		a.resetter().Reset()
	}
}

// ReferFlow implements flib.Env. A flow of the same device is connected when the
// loop has taken it up, so that all who wait for it see the same first packet.
func (e *env) ReferFlow(fd int32) (*flib.FlowRef, error) {
	flow, err := e.session.flow(fd)
	if err != nil {
		return nil, errors.New(err.Error())
	}
	if flow.capture == e.capture {
		flow.awaited = true
		return &flow.adopted, nil
	}
	return &flow.connected, nil
}

// ordered returns the functions as packets meet them: in the order of their
// application, but those that precede others before the first of these.
func ordered(functions []*applied) []*applied {
	var out []*applied
	for _, a := range functions {
		at := len(out)
		if p, ok := a.fn.(flib.Predecessor); ok {
			for _, ref := range p.Precedes() {
				i := slices.IndexFunc(out, func(b *applied) bool { return a.refersTo(ref, b) })
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
func (a *applied) refersTo(ref *flib.Ref, b *applied) bool {
	return slices.ContainsFunc(a.refs, func(r *reference) bool { return &r.Ref == ref && r.target == b })
}

// sever makes the functions of flows that are being closed, and run no more, dead for
// those that refer to them. When it returns, nobody reads them any more.
func (s *Session) sever(closing []*Flow) {
	for _, f := range closing {
		for _, a := range f.functions {
			a.live.Store(false)
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
		c.loop.settle(nil) // a loop that is parked reads nothing
	}
}

// A tied chain has functions that refer to others, or that others refer to. Such
// chains run packet by packet, each packet through all of them in the order of
// their creation, so that a function sees what the one that it refers to has
// made of the packets up to this one.
type tied struct {
	*chain
	hits pkt.Set // packets of the batch that are for it
}

// take notes packets of the batch.
func (t *tied) take(l *loop, in []*pkt.Packet) {
	for _, p := range in {
		t.hits.Add(l.index(p))
	}
}

// runTied takes packets through the tied chains, all of which were told which are
// theirs. Each packet brings its time first.
func (l *loop) runTied(p *plan, ptrs []*pkt.Packet) {
	first := 0
	if len(ptrs) > 0 {
		first = l.index(ptrs[0])
	}
	for i := range ptrs {
		for _, t := range p.tied {
			if t.expires {
				t.expire(ptrs[i].TS)
			}
		}
		for _, t := range p.tied {
			if t.hits.Has(first + i) {
				t.run(ptrs[i : i+1])
			}
		}
	}
	for _, t := range p.tied {
		t.hits = pkt.Set{}
	}
}

// isTied reports whether the flow's chain is to be tied. Session.calls is held.
func (f *Flow) isTied() bool {
	return slices.ContainsFunc(f.functions, func(a *applied) bool { return len(a.readers) > 0 || len(a.refs) > 0 })
}

// targets returns the other flows to which the flow's functions refer and which are
// connected. Engine.mu is held.
func (f *Flow) targets() (flows []*Flow) {
	for _, a := range f.functions {
		for _, r := range a.refs {
			if c := r.flow.chain; r.flow != f && c != nil && !c.closed.Load() && !slices.Contains(flows, r.flow) {
				flows = append(flows, r.flow)
			}
		}
	}
	return flows
}

// read counts by n more or less that a, which runs in a capture, refers to others.
// Session.calls is held.
func (a *applied) read(c *capture, n int) {
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
