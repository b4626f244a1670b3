package flib

import "sync/atomic"

// A Ref is a function of the same client, whose result another one reads. The
// target may be in another flow and on another device, and it may be closed
// before the one that reads it: then it is dead and has no value any more.
//
// Value, Copy and Reset are for the goroutine that runs the instance, from Start
// to Close, and for Close itself. They do not allocate, lock or wait.
type Ref struct {
	// Name is the target's, as in its Def. Result is the target's. Live is true from connect to close of its flow.
	// OnReset resets the target, now or, when it belongs to another capture
	// goroutine, before its next packets; nil: it cannot be reset. The engine
	// sets them; all but it use the methods.
	Name    string
	Result  *Result
	Live    *atomic.Bool
	OnReset func()
	// Pending says that a reset was asked for and not done yet: the value is 0
	// already. It is nil where that is done at once.
	Pending *atomic.Bool
}

// Value returns the first word of the target's result as it is now. It reports
// false when there is none: the target's flow is not connected, or closed.
func (r *Ref) Value() (uint64, bool) {
	if !r.Live.Load() {
		return 0, false
	}
	if r.pending() {
		return 0, true
	}
	return r.Result.Uint64(), true
}

// Copy copies the whole result of the target into dst, which has Size bytes. It
// reports false when there is none, or when the target is being written by
// another goroutine and does not get ready.
func (r *Ref) Copy(dst []byte) bool {
	switch {
	case !r.Live.Load():
		return false
	case r.pending():
		clear(dst)
		return true
	}
	return r.Result.Read(dst)
}

func (r *Ref) pending() bool { return r.Pending != nil && r.Pending.Load() }

// Size is the length of the target's result in bytes.
func (r *Ref) Size() int { return r.Result.Size() }

// Reset resets the target, if it is alive and can be reset.
func (r *Ref) Reset() {
	if r.OnReset != nil && r.Live.Load() {
		r.OnReset()
	}
}

// A FlowRef is a flow of the same client whose connect a function waits for.
// Connected may be called from any goroutine.
type FlowRef struct {
	connected atomic.Bool
	since     atomic.Uint64
}

// Connected reports whether the flow is connected, or was: finished and closed
// flows are. It sees no packets older than since, 0 when it sees all.
func (r *FlowRef) Connected() (since uint64, ok bool) {
	if !r.connected.Load() {
		return 0, false
	}
	return r.since.Load(), true
}

// Close is for the engine: a flow that was not connected will not be, and nobody
// waits for it from the packets of now on. One that was connected stays so.
func (r *FlowRef) Close(now uint64) {
	if !r.connected.Load() {
		r.Connect(now)
	}
}

// Connect is for the engine.
func (r *FlowRef) Connect(since uint64) {
	r.since.Store(since)
	r.connected.Store(true)
}

// A Target names a function of a flow, as programs write it: "fid@fd".
type Target struct{ FD, FID int32 }
