package engine

import "runtime"

// A share is the part of a chain that runs as one with others: its leading filter,
// and the functions of the branches of path behind the first.
//
// While it has one, the books of these functions are what they had before and what
// the branches have counted since the level began. When the level ends, or the chain
// leaves, that is added to the functions' own.
type share struct {
	chain *chain
	path  []*branch
}

// enter makes the chain run in the share. Only the capture goroutine may call it.
func (sh *share) enter() { sh.chain.share.Store(sh) }

// leave adds to the books of the functions what the branches have counted. Only the
// capture goroutine may call it, between shifts.
func (sh *share) leave() {
	c := sh.chain
	if c.share.Load() != sh {
		return
	}
	c.share.Store(nil)
	in := sh.path[0].out.Load()
	if c.lead != nil {
		c.lead.passed.Add(in)
	}
	for i, b := range sh.path[1:] {
		out, s := b.out.Load(), &c.steps[i]
		s.packets.Add(in)
		s.passed.Add(out)
		s.refused.Add(in - out)
		in = out
	}
}

// tally is a reading of counts.
type tally struct{ packets, passed, refused, emitted uint64 }

func (t tally) behind() uint64 { return t.passed + t.emitted }

// tally reads the counts of a function of the chain: of a leading filter only those
// that passed.
func (c *chain) tally(l *loop, a *applied) (t tally) {
	for {
		shift := l.shifts.Load()
		t = tally{a.packets.Load(), a.passed.Load(), a.refused.Load(), a.emitted.Load()}
		if sh := c.share.Load(); sh != nil {
			t.add(sh, a)
		}
		if shift&1 == 0 && l.shifts.Load() == shift {
			return t
		}
		runtime.Gosched()
	}
}

// add adds what the branches of a share have counted for a function. The later
// count is read first, so that no more has gone on than came.
func (t *tally) add(sh *share, a *applied) {
	if sh.chain.lead == a {
		t.passed += sh.path[0].out.Load()
		return
	}
	for i, b := range sh.path[1:] {
		if sh.chain.steps[i].applied == a {
			out := b.out.Load()
			in := sh.path[i].out.Load()
			t.packets, t.passed, t.refused = t.packets+in, t.passed+out, t.refused+in-out
		}
	}
}
