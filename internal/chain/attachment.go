package chain

import "sync/atomic"

// An Attachment is the part of a chain that a segment runs for it: the prefilter and the
// first functions, or all of them.
//
// The books of these functions are their own counts plus the counts of the segment since
// it began. When a chain moves to a new segment it gets a new attachment linked to the old
// one, so that the loop can switch without touching each chain. Old counts are folded into
// the functions' own once the old segment has drained.
type Attachment struct {
	chain    *Chain
	shared   Shared
	drained  *atomic.Bool // of the segment; not the segment itself, which can be freed
	older    atomic.Pointer[Attachment]
	detached atomic.Bool // the chain runs all its functions itself
}

// Shared is the part of a segment that runs functions of a chain. It is not called per
// packet.
type Shared interface {
	// Functions returns how many of the chain's functions the segment runs.
	Functions() int
	// Behind returns how many packets have left function i since the segment began;
	// -1 is the prefilter. Any goroutine may call it.
	Behind(i int) uint64
	// Flush adds pending sums to the results. Only the capture goroutine may call it.
	Flush()
	// Release makes the segment stop touching the results, which may be freed.
	Release()
}

// NewAttachment makes the attachment of a chain to a segment. The segment sets drained.
func NewAttachment(c *Chain, shared Shared, drained *atomic.Bool) *Attachment {
	return &Attachment{chain: c, shared: shared, drained: drained}
}

// Chain returns the chain of the attachment.
func (a *Attachment) Chain() *Chain { return a.chain }

// Shared returns the part of the segment that runs functions of the chain.
func (a *Attachment) Shared() Shared { return a.shared }

// Detached reports whether the chain has left the segment, which must not run it.
func (a *Attachment) Detached() bool { return a.detached.Load() }

// Enter makes this the newest attachment of its chain. If functions of other chains read
// the chain's results it detaches instead. Only the control side may call it.
func (a *Attachment) Enter() {
	c := a.chain
	if c.PassedBy {
		a.detach()
		return
	}
	if c.Shared = true; c.Alone {
		a.detach()
		return
	}
	a.older.Store(c.attached.Load())
	a.fold()
	c.attached.Store(a)
	if c.Closed() {
		a.shared.Release()
		for b := a.older.Load(); b != nil; b = b.older.Load() {
			b.shared.Release()
		}
	}
}

// Fold folds the counts of drained segments into the chain's own, if this is still the
// chain's newest attachment. Only the control side may call it.
func (a *Attachment) Fold() {
	if a.chain.Detaching() { // first: then the loop does not end a detach meanwhile
		return
	}
	if a.chain.attached.Load() == a { // else a newer attachment links to the older ones
		a.fold()
	}
}

// fold folds and unlinks the attachments to older segments that have drained. It leaves a
// chain that detaches alone, because detach folds everything.
func (a *Attachment) fold() {
	if a.chain.Alone {
		return
	}
	for older := a.older.Load(); older != nil; older = a.older.Load() {
		if !older.drained.Load() {
			a = older
			continue
		}
		older.add()
		a.older.Store(older.older.Load())
	}
}

// add adds the counts of the segment to the functions' own.
func (a *Attachment) add() {
	c, in := a.chain, a.shared.Behind(-1)
	if c.Prefilter != nil {
		c.passed.Add(in)
	}
	for i := range a.shared.Functions() {
		out, s := a.shared.Behind(i), &c.Steps[i]
		s.packets.Add(in)
		s.refused.Add(in - out)
		in = out
	}
}

// detach makes the segment stop running the chain and touching its results.
func (a *Attachment) detach() {
	a.detached.Store(true)
	a.shared.Release()
}

// counts returns how many packets came to function i and how many went on. An accumulator
// lets all packets pass, so one reading gives both: two could have a batch between them.
func (a *Attachment) counts(i int) (in, out uint64) {
	out = a.shared.Behind(i)
	if a.chain.Steps[i].Accumulator() != nil {
		return out, out
	}
	return a.shared.Behind(i - 1), out
}

// AskToDetach takes the chain out of its segment and asks the loop to detach it. It returns
// false if the chain has no attachment. Only the control side may call it.
func (c *Chain) AskToDetach() bool {
	if !c.Shared {
		return false
	}
	c.Group.Gone++
	c.Group, c.Shared = nil, false
	c.detaching.Store(true)
	return true
}

// detach makes the chain run all its functions itself. The segments flush their sums to the
// chain's results for the last time, and their counts are added to the functions' own. Only
// the capture goroutine may call it.
func (c *Chain) detach(moves *seqlock) {
	moves.begin()
	for a := c.attached.Load(); a != nil; a = a.older.Load() {
		a.shared.Flush()
		a.detach()
		a.add()
	}
	c.attached.Store(nil)
	c.detaching.Store(false)
	moves.end()
}

// Detaching reports whether the loop has yet to detach the chain, or to pass it by. The chain
// must not get an attachment before.
func (c *Chain) Detaching() bool { return c.detaching.Load() || c.passing.pending.Load() > 0 }

// AskToPass takes the chain out of its segment. The loop must Pass it by with the plan that the
// caller makes. Only the control side may call it.
func (c *Chain) AskToPass() {
	c.PassedBy = true
	c.passing.pending.Add(1)
	group := c.Group
	if group == nil {
		return
	}
	group.Gone++
	group.Passed = true
	c.Group, c.Shared = nil, false
}
