package engine

import "runtime"

// A share is the part of a chain that its level runs: its leading filter, and the
// functions of the branches of path behind the first, or all that are in a ledger.
//
// While it has one, the books of these functions are what they had before and what
// the level has counted since it began. When the level ends, or the chain leaves, that
// is added to the functions' own.
type share struct {
	chain  *chain
	path   *path
	ledger *ledger // if there is no path
}

// A path is the branches through which a chain goes.
type path struct {
	branches []*branch
	sums     []int // where its functions that add up stand in the sums of their branches
}

// functions returns how many there are.
func (sh *share) functions() int {
	if sh.ledger != nil {
		return len(sh.chain.steps)
	}
	return len(sh.path.branches) - 1
}

// behind returns how many packets have left function i, -1 being the filter.
func (sh *share) behind(i int) uint64 {
	if sh.ledger != nil {
		return sh.ledger.packets.Load() // all of them add up
	}
	return sh.path.branches[i+1].out.Load()
}

// counts returns how many packets came to function i and how many went on. All do in one
// that adds up: two readings could have a batch between them.
func (sh *share) counts(i int) (in, out uint64) {
	out = sh.behind(i)
	if sh.chain.steps[i].summer != nil {
		return out, out
	}
	return sh.behind(i - 1), out
}

// enter makes the chain run in the share, unless others have begun to read its results
// before the level did: then it is loose. Only the capture goroutine may call it.
func (sh *share) enter() {
	if sh.chain.leaves.Load() {
		sh.withdraw()
		return
	}
	sh.chain.share.Store(sh)
	if sh.chain.closed.Load() {
		sh.close()
	}
}

// close tells that the results will not be there any more. Any goroutine may call it,
// for a share that chain.share has, behind chain.closed. A nil share is closed.
func (sh *share) close() {
	if sh != nil && sh.ledger != nil {
		sh.ledger.left.Store(true)
	}
}

// withdraw hands the functions their sums for the last time.
func (sh *share) withdraw() {
	if sh.ledger != nil {
		sh.ledger.hand()
		sh.ledger.left.Store(true)
		return
	}
	at := 0
	for _, b := range sh.path.branches {
		if b.summer != nil {
			s := &b.sums[sh.path.sums[at]]
			s.hand(b.total)
			s.chain = nil
			at++
		}
	}
}

// leave adds to the books of the functions what the branches have counted. Only the
// capture goroutine may call it, between shifts.
func (sh *share) leave() {
	c := sh.chain
	if c.share.Load() != sh {
		return
	}
	c.share.Store(nil)
	in := sh.behind(-1)
	if c.lead != nil {
		c.passed.Add(in)
	}
	for i := range sh.functions() {
		out, s := sh.behind(i), &c.steps[i]
		s.packets.Add(in)
		s.refused.Add(in - out)
		in = out
	}
}

// tally is a reading of counts.
type tally struct{ packets, refused, emitted uint64 }

// passed is how many of the packets went on.
func (t tally) passed() uint64 { return t.packets - t.refused }

// behind is how many packets went on behind the function.
func (t tally) behind() uint64 { return t.passed() + t.emitted }

// tally reads the counts of step i. Those that went on are counted last, and read
// first.
func (c *chain) tally(l *loop, i int) (t tally) {
	s := &c.steps[i]
	c.steady(l, func(sh *share) {
		t.emitted, t.refused = s.emitted.Load(), s.refused.Load()
		t.packets = s.packets.Load()
		if sh != nil && i < sh.functions() {
			in, out := sh.counts(i)
			t.packets, t.refused = t.packets+in, t.refused+in-out
		}
	})
	return t
}

// arrived reads how many packets the leading filter let through.
func (c *chain) arrived(l *loop) (n uint64) {
	c.steady(l, func(sh *share) {
		n = c.passed.Load()
		if sh != nil {
			n += sh.behind(-1)
		}
	})
	return n
}

// steady has counts read while the chain does not move to or from a share.
func (c *chain) steady(l *loop, read func(*share)) {
	for {
		shift := l.shifts.Load()
		read(c.share.Load())
		if shift&1 == 0 && l.shifts.Load() == shift {
			return
		}
		runtime.Gosched()
	}
}
