package engine

import (
	"context"
	"sync/atomic"
	"time"
	"unique"

	"gomapi/flib"
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

	// What SYNC sees of the flow: connected by Connect, adopted by the loop when
	// it has taken the flow up.
	connected, adopted flib.FlowRef
	awaited            bool // a function of the same device waits for adopted; under Session.calls

	// Guarded by Engine.mu.
	unhidden  funcname.Unhidden
	functions []*applied
	chain     *chain // nil before connect
	status    FlowStatus
	start     time.Time
	end       time.Time
}

// applied is a function that was applied to a flow. There are hundred thousands of them.
type applied struct {
	fid int32
	// live says that the result may be read by those that refer to it.
	live    atomic.Bool
	closing atomic.Bool // it is not to be reset any more
	// resetAsked is the wish of a function of another device; the loop looks for it
	// before the next packets.
	resetAsked atomic.Bool
	def        *flib.Def
	library    string
	fn         flib.Function
	// classifier is fn if it can be decided with the other filters of the
	// device, which it is when it comes first in its flow.
	classifier flib.Classifier
	args       flib.Args
	// kind names what it does: functions of one kind do the same with each packet.
	// Zero: it decides, adds up and searches nothing, or leads its flow.
	kind    unique.Handle[string]
	slot    *shm.Slot        // nil: no result
	refs    []*reference     // to others
	readers map[*capture]int // functions that refer to it, by where they run; under Session.calls
	// instructions is what its filters take of the user's account.
	instructions int
	ring         *flib.Ring // nil: no packet buffer
	entry        int        // bytes of an entry, if it is a series
	buffer       int        // bytes of it on the user's account
}

// summer returns the function if it is one that adds up, else nil.
func (a *applied) summer() flib.Accumulator { s, _ := a.fn.(flib.Accumulator); return s }

// searcher returns the function if it is one that searches for a string, else nil.
func (a *applied) searcher() flib.Searcher { s, _ := a.fn.(flib.Searcher); return s }

// resetter returns the function if it can be reset, else nil.
func (a *applied) resetter() flib.Resetter { r, _ := a.fn.(flib.Resetter); return r }

// finished marks an active flow when its device has ended. Engine.mu is held.
func (f *Flow) finished(now time.Time) {
	if f.status != FlowActive {
		return
	}
	f.end = now
	f.place.SetEnd(now.UnixNano())
	f.setStatus(FlowFinished)
}

// shownStatus is the state as the flow's info has it. A flow whose owner takes packets
// has not finished before all were taken, so that a loop which takes packets until
// then gets them all. Engine.mu is held.
func (f *Flow) shownStatus() FlowStatus {
	if f.status != FlowFinished {
		return f.status
	}
	for _, a := range f.functions {
		if a.ring != nil && a.ring.Unread() {
			return FlowActive
		}
	}
	return FlowFinished
}

// setStatus stores the state, also for the owner to read. Engine.mu is held.
func (f *Flow) setStatus(s FlowStatus) {
	f.status = s
	f.place.SetStatus(uint64(s))
}

// prepare makes the functions ready for packets of a link type. The capture's
// types lock is held.
func (f *Flow) prepare(ctx context.Context, linkType uint16) error {
	return f.session.engine.safely("preparing functions", func() error {
		for _, a := range f.functions {
			if lt, ok := a.fn.(flib.LinkTyper); ok {
				if err := lt.AddLinkType(ctx, linkType); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
