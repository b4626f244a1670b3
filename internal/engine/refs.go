package engine

import (
	"errors"
	"fmt"
	"slices"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/pkt"
)

// A reference is what a function has of another one. All of it is fixed when the
// function is applied.
type reference struct {
	flib.Ref
	target *applied
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
	target.referred = true
	r := &reference{target: target, Ref: flib.Ref{Result: target.slot, Live: &target.live}}
	if target.resetter != nil {
		r.OnReset = func() { target.resetAsked.Store(true) }
		if flow.capture == e.capture {
			r.OnReset = target.resetter.Reset
		}
	}
	e.applied.refs = append(e.applied.refs, r)
	r.Name = target.def.Name
	return &r.Ref, nil
}

// ReferFlow implements flib.Env. A flow of the same device is connected when the
// loop has taken it up, so that all who wait for it see the same first packet.
func (e *env) ReferFlow(fd int32) (*flib.FlowRef, error) {
	flow, err := e.session.flow(fd)
	if err != nil {
		return nil, errors.New(err.Error())
	}
	if flow.capture == e.capture {
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

// sever makes the functions of flows that are being closed dead for those that
// refer to them. When it returns, nobody reads them any more.
func (s *Session) sever(closing []*Flow) {
	dead := make(map[*applied]bool)
	for _, f := range closing {
		for _, a := range f.functions {
			a.live.Store(false)
			dead[a] = true
		}
	}
	readers := make(map[*capture]bool)
	s.engine.mu.Lock()
	for _, f := range s.flows {
		if f.chain != nil && f.refersToAny(dead) {
			readers[f.capture] = true
		}
	}
	s.engine.mu.Unlock()
	for c := range readers {
		c.loop.settle(nil) // a loop that is parked reads nothing
	}
}

// refersToAny reports whether a function of the flow refers to one of targets.
func (f *Flow) refersToAny(targets map[*applied]bool) bool {
	return slices.ContainsFunc(f.functions, func(a *applied) bool {
		return slices.ContainsFunc(a.refs, func(r *reference) bool { return targets[r.target] })
	})
}

// A tied chain has functions that refer to others, or that others refer to. Such
// chains run packet by packet, each packet through all of them in the order of
// their creation, so that a function sees what the one that it refers to has
// made of the packets up to this one.
type tied struct {
	*chain
	hits [drivers.MaxBatch / 64]uint64 // packets that its leading filter let through
}

func (t *tied) hit(i int) { t.hits[i/64] |= 1 << (i % 64) }

// takes reports whether packet i is for the chain.
func (t *tied) takes(i int) bool { return t.lead == nil || t.hits[i/64]>>(i%64)&1 == 1 }

// runTied takes packets through the tied chains, all of which were told their
// hits.
func (p *plan) runTied(ptrs []*pkt.Packet) {
	for i := range ptrs {
		for _, t := range p.tied {
			if t.takes(i) {
				t.run(ptrs[i : i+1])
			}
		}
	}
	for _, t := range p.tied {
		clear(t.hits[:])
	}
}

// ties reports whether the flow's chain may have to be tied, or tie another.
func (f *Flow) ties() bool {
	return slices.ContainsFunc(f.functions, func(a *applied) bool { return a.referred || len(a.refs) > 0 })
}

// tiedChains makes the tied ones of the flows' chains.
func tiedChains(flows []*Flow) map[*chain]*tied {
	out := make(map[*chain]*tied)
	targets := make(map[*applied]bool)
	for _, f := range flows {
		for _, a := range f.functions {
			for _, r := range a.refs {
				out[f.chain] = &tied{chain: f.chain}
				targets[r.target] = true
			}
		}
	}
	if len(targets) == 0 {
		return out
	}
	for _, f := range flows {
		if slices.ContainsFunc(f.functions, func(a *applied) bool { return targets[a] }) {
			out[f.chain] = &tied{chain: f.chain}
		}
	}
	return out
}
