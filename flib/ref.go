package flib

import "sync/atomic"

// A Ref refers to a function of the same client, the target, whose result an instance
// reads. The target may be in another flow and on another device. If it is closed before
// the instance that reads it, it is dead and has no value any more.
//
// Value, Copy and Reset may be called by the goroutine that runs the instance, from Start
// to Close, and by Close itself. They do not allocate, lock or wait.
type Ref struct {
	// The engine sets these fields; others use the methods. Name is the name of the
	// target in its Def. Result is the target's result. Live is true from connect to
	// close of the target's flow. OnReset resets the target: at once or, if it belongs to
	// another capture goroutine, before its next packets. nil: the target cannot be
	// reset.
	Name    string
	Result  *Result
	Live    *atomic.Bool
	OnReset func()
	// Pending is true while a requested reset is not done yet. Readers already see the
	// value 0. It is nil if resets are done at once.
	Pending *atomic.Bool
	// Fresh makes a target that is a Publisher publish its result, nil: not needed.
	Fresh func()
}

// Value returns the first word of the target's current result. It reports false if there
// is none: the target's flow is not connected, or closed.
func (r *Ref) Value() (uint64, bool) {
	if !r.Live.Load() {
		return 0, false
	}
	if r.pending() {
		return 0, true
	}
	r.refresh()
	return r.Result.Uint64(), true
}

// Copy copies the whole result of the target into dst, which has Size bytes. It reports
// false if there is none, or if another goroutine is writing the result and does not
// finish soon.
func (r *Ref) Copy(dst []byte) bool {
	switch {
	case !r.Live.Load():
		return false
	case r.pending():
		clear(dst)
		return true
	}
	r.refresh()
	return r.Result.Read(dst)
}

func (r *Ref) refresh() {
	if r.Fresh != nil {
		r.Fresh()
	}
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

// A FlowRef refers to a flow of the same client for whose connect a function waits. Any
// goroutine may call Connected.
type FlowRef struct {
	connected atomic.Bool
	since     atomic.Uint64
}

// Connected reports whether the flow is or was connected; finished and closed flows count
// as connected. The flow sees no packets older than since. since is 0 if it sees all.
func (r *FlowRef) Connected() (since uint64, ok bool) {
	if !r.connected.Load() {
		return 0, false
	}
	return r.since.Load(), true
}

// Close is called by the engine. A flow that was never connected then counts as connected
// from now on, so that no function waits for it. A connected flow does not change.
func (r *FlowRef) Close(now uint64) {
	if !r.connected.Load() {
		r.Connect(now)
	}
}

// Connect is called by the engine.
func (r *FlowRef) Connect(since uint64) {
	r.since.Store(since)
	r.connected.Store(true)
}

// A Target is the number of a function and of its flow. Programs write it as "fid@fd".
type Target struct{ FD, FID int32 }
