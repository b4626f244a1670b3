// Package chain has the functions of one flow as the capture goroutine runs them: the
// innermost part of a packet's path. It knows neither plans nor segments: the functions
// that a segment runs for a chain are an Attachment of the chain.
//
// Once a chain is in a plan, the capture goroutine owns it, except for its counters and
// atomic flags. Its last fields belong to the control side, which makes the plans.
//
// Files in reading order; each uses those before it:
//
//	batch.go         the packets under way
//	instance.go      a function of one flow
//	seqlock.go       reading counts while they move
//	copies.go        private copies for flows that change packets
//	step.go          an instance in its chain, with its counts
//	lockstep.go      packets set aside for chains that go packet by packet
//	passing.go       counts of what a chain that is passed by does not get
//	attachment.go    the part of a chain that a segment runs
//	fault.go         what a function does that it must not
//	host.go          what the chains of a loop share
//	chain.go         the chain: its state
//	contain.go       a function that fails ends its chain
//	publication.go   results that are published on request
//	run.go           running the functions with packets, also with those that they emit
//	deadlines.go     functions that wait for a moment of packet time
//	start.go         from connect to the first packet for the chain
//	tally.go         reading the counts from any goroutine
package chain

import (
	"sync/atomic"
	"time"

	"gomapi/flib"
	"gomapi/internal/share"
)

// A Chain is the functions of one connected flow. The fields needed for each list of
// packets come first, in one cache line, followed by the steps: with tens of thousands of
// chains, each access to another line is a cache miss.
type Chain struct {
	// off says why the loop must skip the chain, which it may still find: in an older plan or
	// segment, or after it was parked in another chain. 0: it must not.
	off atomic.Uint32
	// watched is set when functions of other chains may ask for a reset of this one's.
	watched   atomic.Bool
	Prefilter *Instance     // leading filter that the classifier decides, nil: none
	passed    atomic.Uint64 // packets that the prefilter let through, without those of attachments
	// A flow of a live device never sees packets from before its connect,
	// though the ring may still hold some. since is the time of connect until
	// the device has passed it, then 0. deadline ends the wait if the clock
	// was set back.
	since    uint64
	lockstep *Lockstep // nil: not in lockstep
	Steps    []Step    // the functions behind the prefilter, in order

	deadline time.Time
	ID       int64 // of the flow, in order of creation
	finishes bool  // some step is a flib.Finisher that was not told yet
	timed    bool  // some step is a flib.Expirer
	// caughtUp is set when every packet is for the chain: since is 0.
	caughtUp atomic.Bool
	// detaching is set when the chain leaves its segment for good. From then on only the
	// loop stores attached; before, only the control side does.
	detaching atomic.Bool
	started   atomic.Bool                // base is set
	attached  atomic.Pointer[Attachment] // the newest one, nil: none
	// base is the loop's packet count when the chain began: total - base packets were
	// delivered to the chain, older of them from before its connect. early of the older
	// packets passed the prefilter, if there is one.
	base, older, early atomic.Uint64
	// inFlight counts packets that functions have emitted and that are under way.
	inFlight atomic.Uint64
	// startedRef is notified when the loop begins the chain. Both are notified when
	// the deadline has set since to 0.
	startedRef, connectedRef *flib.FlowRef

	host      *Host      // of the loop that runs the chain; nil: not started
	deadlines *deadlines // of its functions; nil: not started
	fault     atomic.Pointer[Fault]
	stop      uint64 // Host.Delivered when a function failed; valid if fault is not nil
	passing   passing

	Share *share.Share // pays for the chain; nil: nobody. Set before the chain is in a plan

	// For the control side, guarded by the lock of the plans.
	Owner      any    // the flow
	Group      *Group // the chains of its segment, nil: unmerged
	Moving     bool   // being built into a segment
	InLockstep bool   // runs packet by packet
	Alone      bool   // other chains read its results: never shared
	Shared     bool   // has an attachment in its segment
	PassedBy   bool   // has left the plan, see passing
}

// A Group is the chains of a segment.
type Group struct {
	Gone   int  // chains that were closed or detached
	Passed bool // some of them because they are passed by
}

// Reasons to skip a chain, as bits of Chain.off.
const (
	isClosed   = 1 << iota // the flow is being closed
	isPassedBy             // see passing.go
)

// New makes a chain of functions, in the order in which packets meet them. started
// is notified when the loop begins the chain; for connected see CatchUp.
func New(id int64, owner any, functions []*Instance, started, connected *flib.FlowRef) *Chain {
	block := &struct {
		Chain
		steps [2]Step // enough for most flows, in the same allocation
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
		_, finishes := a.Fn.(flib.Finisher)
		c.finishes = c.finishes || finishes
		c.specialize(i, a, a.Def.Modifies && !copied)
		// An emitter's packets are its own: a function that changes them gets copies again.
		copied = (copied || a.Def.Modifies) && !a.Def.Emits
	}
	return c
}

// specialize gives step i what only few functions need.
func (c *Chain) specialize(i int, a *Instance, copied bool) {
	var sp special
	if copied {
		sp.private = &copies{}
	}
	sp.emits = a.Def.Emits
	if f, ok := a.Fn.(flib.Expirer); ok {
		c.timed = true
		sp.timer = &timer{chain: c, step: i, fn: f}
		sp.timer.Value = sp.timer
	}
	if f, ok := a.Fn.(flib.Publisher); ok {
		sp.publish = &publication{chain: c, step: i, fn: f}
	}
	if sp != (special{}) {
		c.Steps[i].special = &sp
	}
}

// Has reports whether the function belongs to the chain.
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

// Close marks the chain: the loop skips it, and segments stop touching its results. A
// batch may still be in the chain; Loop.Quiesce waits for it.
func (c *Chain) Close() {
	c.off.Or(isClosed)
	for a := c.attached.Load(); a != nil; a = a.older.Load() {
		a.shared.Release()
	}
	if c.Group != nil {
		c.Group.Gone++
	}
}

// Closed reports whether the flow is being closed.
func (c *Chain) Closed() bool { return c.off.Load()&isClosed != 0 }

// Skipped reports whether the loop must skip the chain.
func (c *Chain) Skipped() bool { return c.off.Load() != 0 }

// Failed reports whether a function of the chain has failed. Any goroutine may call it.
func (c *Chain) Failed() bool { return c.fault.Load() != nil }

// Watch prepares the chain for functions of other chains that read its results.
func (c *Chain) Watch() {
	c.Alone = true
	c.watched.Store(true)
}

// Fetch loads the chain into the cache, and FetchSteps its steps. A caller that does this for
// many chains overlaps their cache misses. The values returned mean nothing.
func (c *Chain) Fetch() uint64 { return c.since }

// FetchSteps comes after Fetch.
func (c *Chain) FetchSteps() (sum uint64) {
	for i := range c.Steps {
		sum += c.Steps[i].packets.Load()
	}
	return sum
}

// Nudge wakes the readers of the chain's packet buffers, except the reader of one function.
func (c *Chain) Nudge(but *Instance) {
	if c.Closed() {
		return // the rings may be freed
	}
	for i := range c.Steps {
		if s := &c.Steps[i]; s.Ring != nil && s.Instance != but {
			s.Ring.Nudge()
		}
	}
}
