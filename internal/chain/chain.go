// Package chain is the functions of one flow as the capture goroutine runs them: the
// innermost part of the way of a packet. It knows neither plans nor segments; what a
// segment runs in a chain's place is an Attachment of the chain.
//
// All of a chain but its counters and atomic flags belongs to the capture goroutine once
// it is in a plan, and its Control to those who make plans.
//
// Files, each of which uses those before it:
//
//	index_unsafe.go  place of a packet in its batch
//	batch.go         the packets that are under way
//	instance.go      a function of one flow
//	seqlock.go       reading what is being moved
//	copies.go        private copies for flows that change packets
//	step.go          an instance in its chain, with its counts
//	lockstep.go      packets set aside for chains that go packet by packet
//	attachment.go    what a segment runs in place of a chain
//	chain.go         the chain: its state and its way through the functions
//	start.go         from connect to the first packet that is for it
//	tally.go         reading its counts from any goroutine
package chain

import (
	"sync/atomic"
	"time"

	"gomapi/flib"
	"gomapi/internal/pkt"
)

// A Chain is the functions of one connected flow. What is needed for each list of
// packets stands first, in one cache line, and the steps lie behind: of ten thousands of
// chains, each is far away in memory.
type Chain struct {
	// closed says that the flow is being closed. The loop may come upon its
	// chain once more, in its plan or after it was parked in another; it must
	// pass it by.
	closed atomic.Bool
	// watched says that others may ask for a reset of its functions.
	watched   atomic.Bool
	Prefilter *Instance     // leading filter that the classifier decides, nil: none
	passed    atomic.Uint64 // packets that it let through, but for those of attachments
	// A flow of a live device never sees packets from before its connect,
	// though the ring may still hold some. since is the time of connect until
	// the device has passed it, then 0; deadline ends the wait should the
	// clock have been set back.
	since    uint64
	lockstep *Lockstep // nil: it runs by itself
	Steps    []Step    // the functions behind the prefilter, in order

	deadline time.Time
	ID       int64 // of its flow, in order of creation
	Expires  bool  // some step is a flib.Expirer
	finishes bool  // some step is a flib.Finisher
	// caughtUp says that all packets are for it: since has come to nothing.
	caughtUp atomic.Bool
	// detaching says that it is not to be attached any more: then the loop stores
	// attached, else the control side.
	detaching atomic.Bool
	started   atomic.Bool                // base is set
	attached  atomic.Pointer[Attachment] // the newest one, nil: none
	// base is the loop's packet count when the chain began: total - base packets were
	// delivered to it, older of them from before its connect. Of those, early passed its
	// prefilter, if it has one.
	base, older, early atomic.Uint64
	// inFlight is how many packets that functions have emitted are under way.
	inFlight atomic.Uint64
	// startedRef is told when the loop has taken the chain up. It and connectedRef
	// are told that since has come to nothing.
	startedRef, connectedRef *flib.FlowRef

	Control
}

// Control is what those who make plans know of a chain, guarded by what guards these.
type Control struct {
	Owner      any    // whose it is
	Group      *Group // that has it, nil: it is unmerged
	Moving     bool   // it is being built into a segment
	InLockstep bool   // it runs packet by packet
	Alone      bool   // its results are read by others: it is never shared
	Shared     bool   // it has an attachment in its segment
}

// A Group is the chains of a segment.
type Group struct {
	Gone int // of them, closed or on their own
}

// New makes the chain of functions in the order in which packets meet them. The refs are
// told when it has started.
func New(id int64, owner any, functions []*Instance, started, connected *flib.FlowRef) *Chain {
	block := &struct {
		Chain
		steps [2]Step // of most flows, in the same memory
	}{}
	c := &block.Chain
	c.Owner, c.ID, c.startedRef, c.connectedRef = owner, id, started, connected
	if len(functions) > 0 && functions[0].Classifier != nil {
		c.Prefilter, functions = functions[0], functions[1:]
	}
	if c.Steps = block.steps[:]; len(functions) > len(c.Steps) {
		c.Steps = make([]Step, len(functions))
	}
	c.Steps = c.Steps[:len(functions)]
	copied := false
	for i, a := range functions {
		s := &c.Steps[i]
		s.fn, s.Instance = a.Fn, a
		_, expires := a.Fn.(flib.Expirer)
		_, finishes := a.Fn.(flib.Finisher)
		c.Expires, c.finishes = c.Expires || expires, c.finishes || finishes
		if a.Def.Modifies && !copied {
			s.private, copied = &copies{}, true
		}
	}
	return c
}

// Has reports whether the function is one of the chain's.
func (c *Chain) Has(a *Instance) bool {
	if c.Prefilter == a {
		return true
	}
	for i := range c.Steps {
		if c.Steps[i].Instance == a {
			return true
		}
	}
	return false
}

// Close makes the loop pass the chain by, and keeps segments from its results.
func (c *Chain) Close() {
	c.closed.Store(true)
	for a := c.attached.Load(); a != nil; a = a.older.Load() {
		a.shared.Release()
	}
	if c.Group != nil {
		c.Group.Gone++
	}
}

// Closed reports whether the flow is being closed.
func (c *Chain) Closed() bool { return c.closed.Load() }

// Watch prepares the chain for others that read its results.
func (c *Chain) Watch() {
	c.Alone = true
	c.watched.Store(true)
}

// SetLockstep has the packets for the chain set aside from now on, or no more when l is
// nil.
func (c *Chain) SetLockstep(l *Lockstep) { c.lockstep = l }

// Take takes packets that the prefilter let through through the chain, or sets them
// aside when it goes in lockstep.
func (c *Chain) Take(b *Batch, in []*pkt.Packet) {
	if c.lockstep != nil {
		c.lockstep.mark(b, in)
	} else {
		c.Run(in)
	}
}

// Run takes packets through the chain. It does not change in.
func (c *Chain) Run(in []*pkt.Packet) {
	if c.closed.Load() {
		return
	}
	if c.Prefilter != nil {
		c.passed.Add(uint64(len(in)))
	}
	if c.since != 0 {
		in = c.late(in)
	}
	c.RunFrom(0, in)
}

// late drops and counts the packets from before the flow's connect. It is the rare case
// of a chain's first batches and copies what it keeps.
func (c *Chain) late(in []*pkt.Packet) []*pkt.Packet {
	var out []*pkt.Packet
	for _, p := range in {
		if p.TS >= c.since {
			out = append(out, p)
		} else {
			c.early.Add(1)
		}
	}
	return out
}

// RunUnmerged takes the packets that the prefilter lets through through the chain. They
// are gathered in the memory of list.
func (c *Chain) RunUnmerged(b *Batch, list, in []*pkt.Packet) {
	if c.Prefilter != nil {
		program := c.Prefilter.Classifier.Program(in[0].LinkType)
		if program == nil || c.closed.Load() {
			return
		}
		list = list[:0]
		for _, p := range in {
			if program.Match(p.Link, p.Wire) {
				list = append(list, p)
			}
		}
		in = list
	}
	if len(in) > 0 {
		c.Take(b, in)
	}
}

// RunFrom takes packets through the steps from i on.
func (c *Chain) RunFrom(i int, in []*pkt.Packet) {
	emitted := false
	for ; i < len(c.Steps) && len(in) > 0; i++ {
		s := &c.Steps[i]
		if s.private != nil {
			in = s.private.of(in)
		}
		n := len(in)
		if c.watched.Load() && s.ResetAsked.Load() {
			s.Reset()
			s.ResetAsked.Store(false) // until here others take the value as 0
		}
		s.packets.Add(uint64(n))
		in = s.fn.Process(in)
		if len(in) > n {
			c.inFlight.Add(uint64(len(in) - n))
			emitted = true
		}
		s.sent(n, len(in))
	}
	if emitted {
		c.inFlight.Store(0)
	}
}

// Expire tells the functions that packet time has come to now.
func (c *Chain) Expire(now uint64) {
	if c.closed.Load() {
		return
	}
	for i := range c.Steps {
		if f, ok := c.Steps[i].fn.(flib.Expirer); ok {
			c.emit(i, f.Expire(now))
		}
	}
}

// Finish tells the functions, in order, that no packet will follow.
func (c *Chain) Finish() {
	if !c.finishes || c.closed.Load() {
		return
	}
	for i := range c.Steps {
		if f, ok := c.Steps[i].fn.(flib.Finisher); ok {
			c.emit(i, f.End())
		}
	}
}

// emit sends on what step i gives out of itself.
func (c *Chain) emit(i int, out []*pkt.Packet) {
	if len(out) > 0 {
		c.inFlight.Add(uint64(len(out)))
		c.Steps[i].sent(0, len(out))
		c.RunFrom(i+1, out)
		c.inFlight.Store(0)
	}
}

// Fetch looks at what the loop needs of the chain first, and FetchSteps at what it needs
// then, so that the processor waits for many chains at a time. The values say nothing.
func (c *Chain) Fetch() uint64 { return c.since }

// FetchSteps is for after Fetch.
func (c *Chain) FetchSteps() (sum uint64) {
	for i := range c.Steps {
		sum += c.Steps[i].packets.Load()
	}
	return sum
}

// Nudge has the readers of the chain's packet buffers look up, but for that of one
// function.
func (c *Chain) Nudge(but *Instance) {
	if c.closed.Load() {
		return // its rings may be gone
	}
	for i := range c.Steps {
		if s := &c.Steps[i]; s.Ring != nil && s.Instance != but {
			s.Ring.Nudge()
		}
	}
}
