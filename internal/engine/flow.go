package engine

import (
	"context"
	"slices"
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

// A Flow is a client's flow on a device. Its owner's calls come one at a time;
// what other goroutines look at is guarded by Engine.mu.
type Flow struct {
	id      int64 // over all sessions, in order of creation
	fd      int32 // the number that its owner knows
	number  int32 // others see it as ForeignFD and this
	session *Session
	capture *capture
	place   *shm.Flow

	// What SYNC sees of the flow: connected by Connect, started by the loop when
	// it has taken the flow up.
	connected, started flib.FlowRef
	awaited            bool // a function of the same device waits for started; under Session.calls

	// Guarded by Engine.mu.
	unhidden  funcname.Unhidden
	functions []*instance  // changes under Session.calls as well
	chain     *chain.Chain // nil before connect; likewise
	status    FlowStatus
	start     time.Time
	end       time.Time
}

// An instance is a function that was applied to a flow. There are hundred thousands of
// them.
type instance struct {
	fid   int32
	entry int32 // bytes of an entry, if Ring is a series
	chain.Instance
	library string
	args    flib.Args
	slot    *shm.Slot        // nil: no result
	refs    []*reference     // to others; under Session.calls
	readers map[*capture]int // functions that refer to it, by where they run; under Session.calls
	// instructions is what its filters take of the user's quota.
	instructions int
	buffer       int // bytes of Ring on the user's quota
}

// A reference is what a function has of another one. All of it is fixed when the
// function is applied.
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

// shownStatusLocked is the state as the flow's info has it. A flow whose owner takes packets
// has not finished before all were taken, so that a loop which takes packets until
// then gets them all. Engine.mu is held.
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

// setStatusLocked stores the state, also for the owner to read. Engine.mu is held.
func (f *Flow) setStatusLocked(s FlowStatus) {
	f.status = s
	f.place.SetStatus(uint64(s))
}

// prepare makes the functions ready for packets of a link type. The capture's
// types lock is held.
func (f *Flow) prepare(ctx context.Context, linkType uint16) error {
	return f.session.engine.safely("preparing functions", func() error {
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

// inLockstep reports whether the flow's chain is to go in lockstep with others. Session.calls is held.
func (f *Flow) inLockstep() bool {
	return slices.ContainsFunc(f.functions, func(a *instance) bool { return len(a.readers) > 0 || len(a.refs) > 0 })
}

// targetsLocked returns the other flows to which the flow's functions refer and which are
// connected. Engine.mu is held.
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
