package chain

import "sync/atomic"

// An Attachment is the part of a chain that a segment runs in its place: the prefilter,
// and the first functions, or all.
//
// The books of these functions are what they have counted themselves and what the
// segment has counted since it began. A segment that follows makes an attachment that
// follows, so that the loop, which begins with it at once, has nothing to do for each
// chain: what the older segments have counted stays with the chain as it is, until these
// have drained and it is folded into the functions' own.
type Attachment struct {
	chain    *Chain
	shared   Shared
	drained  *atomic.Bool // the segment's: the rest of that shall not stay for this
	older    atomic.Pointer[Attachment]
	detached atomic.Bool // the chain is on its own
}

// Shared is what a segment runs. It is not called per packet.
type Shared interface {
	// Functions returns how many of the chain's functions there are.
	Functions() int
	// Behind returns how many packets have left function i since the segment began,
	// -1 being the prefilter. Any goroutine may ask.
	Behind(i int) uint64
	// Flush adds to the results what is pending. It is for the capture goroutine.
	Flush()
	// Release makes the results those of nobody: they are not touched any more.
	Release()
}

// NewAttachment makes the attachment of a chain to a segment, which says when it has
// drained.
func NewAttachment(c *Chain, shared Shared, drained *atomic.Bool) *Attachment {
	return &Attachment{chain: c, shared: shared, drained: drained}
}

// Chain returns whose it is.
func (a *Attachment) Chain() *Chain { return a.chain }

// Detached reports whether the segment is to leave the chain alone.
func (a *Attachment) Detached() bool { return a.detached.Load() }

// Enter makes the attachment that of its chain, unless others read the results of that:
// then the chain is on its own. It is for the control side.
func (a *Attachment) Enter() {
	c := a.chain
	if c.Shared = true; c.Alone {
		a.detach()
		return
	}
	a.older.Store(c.attached.Load())
	a.fold()
	c.attached.Store(a)
	if c.closed.Load() {
		a.shared.Release()
		for b := a.older.Load(); b != nil; b = b.older.Load() {
			b.shared.Release()
		}
	}
}

// Fold folds what drained segments have counted for the chain, if this is still its
// attachment. It is for the control side.
func (a *Attachment) Fold() {
	if a.chain.attached.Load() == a { // else another has the older ones
		a.fold()
	}
}

// fold folds the attachments to older segments that have drained. A chain that detaches
// does so by itself.
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

// add adds what was counted to the functions' own counts.
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

// detach keeps the segment from running the chain and from touching its results.
func (a *Attachment) detach() {
	a.detached.Store(true)
	a.shared.Release()
}

// counts returns how many packets came to function i and how many went on. All do in one
// that adds up: two readings could have a batch between them.
func (a *Attachment) counts(i int) (in, out uint64) {
	out = a.shared.Behind(i)
	if a.chain.Steps[i].Accumulator() != nil {
		return out, out
	}
	return a.shared.Behind(i - 1), out
}

// AskToDetach has the loop put the chain on its own, and takes it out of its segment. It
// reports false if it is on its own. It is for the control side.
func (c *Chain) AskToDetach() bool {
	if !c.Shared {
		return false
	}
	c.Group.Gone++
	c.Group, c.Shared = nil, false
	c.detaching.Store(true)
	return true
}

// detach puts the chain on its own: its results get their sums for the last time, and its
// functions what was counted for them. Only the capture goroutine may call it.
func (c *Chain) detach(moves *Seqlock) {
	moves.Begin()
	for a := c.attached.Load(); a != nil; a = a.older.Load() {
		a.shared.Flush()
		a.detach()
		a.add()
	}
	c.attached.Store(nil)
	moves.End()
}
