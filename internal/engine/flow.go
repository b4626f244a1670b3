package engine

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"gomapi/flib"
	"gomapi/internal/chain"
	"gomapi/internal/funcname"
	"gomapi/internal/shm"
)

// FlowStatus is the state of a flow in the numbers of the original API.
type FlowStatus int32

// States of a flow.
const (
	FlowInit     FlowStatus = 0
	FlowActive   FlowStatus = 1
	FlowFinished FlowStatus = 2 // the device has ended; results stay readable
	FlowClosed   FlowStatus = 3
)

// A Flow is a client's flow on a device. Its owner calls it from one goroutine at a time.
// Engine.mu guards the fields that other goroutines use.
type Flow struct {
	id      int64 // over all sessions, in order of creation
	fd      int32 // the number for its owner
	number  int32 // the number for other sessions is ForeignFD+number
	session *Session
	capture *capture
	place   *shm.Flow

	// For functions that wait for the flow, such as SYNC: Connect sets connected, and the
	// loop sets started when it has begun the flow's chain.
	connected, started flib.FlowRef
	awaited            bool // a function of the same device waits for started; under Session.calls

	// Guarded by Engine.mu.
	unhidden  funcname.Unhidden
	functions []*instance  // changes under Session.calls as well
	chain     *chain.Chain // nil before connect; changes under Session.calls as well
	status    FlowStatus
	start     time.Time
	end       time.Time
	err       error // of the function that has failed, nil: none
}

// An instance is a function applied to a flow: the part that only the control side needs,
// around the chain.Instance. There are hundreds of thousands of them.
type instance struct {
	fid   int32
	entry int32 // bytes of an entry, if Ring is a series
	chain.Instance
	library *flib.Loaded
	held    bool // counts as an instance of library
	args    flib.Args
	slot    *shm.Slot        // nil: no result
	refs    []*reference     // to other functions; under Session.calls
	rare    *rare            // nil: nothing of it
	readers map[*capture]int // number of functions that refer to it, by their capture; under Session.calls
	// What it has taken of the account of its user, besides rare.state; see Session.refund.
	memory    atomic.Int64
	ringTaken bool
}

// rare is what few instances have.
type rare struct {
	analysers []*analyser // that it asks for; see Env.Analyser
	stake     *stake      // that pays for them; nil: there are none
	state     *stateQuota // nil: none
	atClose   []func()    // see Env.AtClose
}

// rarely returns the rare part of an instance that is being made.
func (a *instance) rarely() *rare {
	if a.rare == nil {
		a.rare = &rare{}
	}
	return a.rare
}

// asked returns the analysers for which the instance asks.
func (a *instance) asked() []*analyser {
	if a.rare == nil {
		return nil
	}
	return a.rare.analysers
}

// bytes returns what is freed with the flow.
func (f *Flow) bytes() int {
	n := flowMemory
	for _, a := range f.functions {
		n += int(a.memory.Load())
	}
	return n
}

// A reference is the right of one function to read the result of another. It does not change
// after the function is applied.
type reference struct {
	flib.Ref
	target *instance
	flow   *Flow // of the target
}

// finishedLocked marks an active flow when its device has ended. Engine.mu is held.
func (f *Flow) finishedLocked(now time.Time) {
	if f.status != FlowActive {
		return
	}
	f.end = now
	f.place.SetEnd(now.UnixNano())
	f.setStatusLocked(FlowFinished)
}

// abandonResults ends writes that a panic has interrupted: readers of the results must not wait
// for them. The capture goroutine calls it.
func (f *Flow) abandonResults() {
	for _, a := range f.functions {
		if a.slot != nil {
			a.slot.Abandon()
		}
	}
}

// endRings tells the readers of a flow that has failed that nothing more comes. The capture
// goroutine calls it.
func (f *Flow) endRings() {
	for _, a := range f.functions {
		if a.Ring != nil {
			a.Ring.End()
		}
	}
}

// shownStatusLocked is the state for info calls. A flow with unread packets is shown as
// active after its device has ended, so that a program that takes packets until the flow is
// finished gets them all. Engine.mu is held.
func (f *Flow) shownStatusLocked() FlowStatus {
	if f.status != FlowFinished {
		return f.status
	}
	for _, a := range f.functions {
		if a.Ring != nil && a.Ring.Unread() {
			return FlowActive
		}
	}
	return FlowFinished
}

// setStatusLocked stores the state, also in the result memory. Engine.mu is held.
func (f *Flow) setStatusLocked(s FlowStatus) {
	f.status = s
	f.place.SetStatus(uint64(s))
}

// prepare makes the functions ready for packets of a link type. The capture's
// types lock is held.
func (f *Flow) prepare(ctx context.Context, linkType uint16) error {
	return f.session.safely("preparing functions", func() error {
		for _, a := range f.functions {
			if lt, ok := a.Fn.(flib.LinkTyper); ok {
				if err := lt.AddLinkType(ctx, linkType); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// inLockstep reports whether the flow's chain must go in lockstep with others. Session.calls
// is held.
func (f *Flow) inLockstep() bool {
	return slices.ContainsFunc(f.functions, func(a *instance) bool { return len(a.readers) > 0 || len(a.refs) > 0 })
}

// targetsLocked returns the other connected flows to which functions of this flow refer.
// Engine.mu is held.
func (f *Flow) targetsLocked() (flows []*Flow) {
	for _, a := range f.functions {
		for _, r := range a.refs {
			if c := r.flow.chain; r.flow != f && c != nil && !c.Closed() && !slices.Contains(flows, r.flow) {
				flows = append(flows, r.flow)
			}
		}
	}
	return flows
}
