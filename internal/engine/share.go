package engine

import (
	"runtime"
	"sync/atomic"
)

// A share is the part of a chain that its level runs: its leading filter, and the
// functions of the branches of path behind the first, or all that are in a ledger.
//
// The books of these functions are what they have counted themselves and what the
// level has counted since it began. A level that follows makes a share that follows,
// so that the loop, which begins with it at once, has nothing to do for each chain:
// what the older levels have counted stays with the chain as it is, until they have
// handed on all their sums and it is folded into the functions' own.
type share struct {
	chain  *chain
	path   *path
	ledger *ledger      // if there is no path
	ended  *atomic.Bool // the level's settled: the rest of that shall not stay for it
	older  atomic.Pointer[share]
	left   atomic.Bool // the chain is on its own
}

// A path is the branches through which a chain goes.
type path struct {
	branches []*branch
	sums     []int // where its functions that add up stand in the sums of their branches
}

// results goes through the functions that add up.
func (p *path) results(each func(*branch, *sum)) {
	at := 0
	for _, b := range p.branches {
		if b.summer != nil {
			each(b, &b.sums[p.sums[at]])
			at++
		}
	}
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
	if sh.chain.steps[i].summer() != nil {
		return out, out
	}
	return sh.behind(i - 1), out
}

// enter makes the share that of its chain, unless others read the results of that: then
// the chain is on its own. Engine.mu is held.
func (sh *share) enter() {
	c := sh.chain
	if c.alone {
		sh.leave()
		return
	}
	sh.older.Store(c.share.Load())
	sh.sweep()
	c.share.Store(sh)
	if c.closed.Load() {
		sh.close()
	}
}

// sweep folds the shares of older levels that have settled. Engine.mu is held. A chain
// that leaves, or has left, does so by itself.
func (sh *share) sweep() {
	if sh.chain.alone {
		return
	}
	for older := sh.older.Load(); older != nil; older = sh.older.Load() {
		if !older.ended.Load() {
			sh = older
			continue
		}
		older.fold()
		sh.older.Store(older.older.Load())
	}
}

// close tells that the results will not be there any more. Engine.mu is held. A nil
// share is closed.
func (sh *share) close() {
	for ; sh != nil; sh = sh.older.Load() {
		sh.letGo()
	}
}

// leave keeps the level from running the chain and from touching its results.
func (sh *share) leave() {
	sh.left.Store(true)
	sh.letGo()
}

// letGo keeps the level from touching the results.
func (sh *share) letGo() {
	if sh.ledger != nil {
		sh.ledger.left.Store(true)
	} else {
		sh.path.results(func(_ *branch, s *sum) { s.left.Store(true) })
	}
}

// withdraw puts the chain on its own: the functions are handed their sums for the last
// time, and get what was counted for them. Only the capture goroutine may call it.
func (c *chain) withdraw(l *loop) {
	l.shifts.Add(1)
	for sh := c.share.Load(); sh != nil; sh = sh.older.Load() {
		if sh.ledger != nil {
			sh.ledger.hand()
		} else {
			sh.path.results(func(b *branch, s *sum) { s.hand(b.total) })
		}
		sh.leave()
		sh.fold()
	}
	c.share.Store(nil)
	l.shifts.Add(1)
}

// fold adds what was counted to the functions' own.
func (sh *share) fold() {
	c, in := sh.chain, sh.behind(-1)
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
		for ; sh != nil; sh = sh.older.Load() {
			if i < sh.functions() {
				in, out := sh.counts(i)
				t.packets, t.refused = t.packets+in, t.refused+in-out
			}
		}
	})
	return t
}

// arrived reads how many packets the leading filter let through.
func (c *chain) arrived(l *loop) (n uint64) {
	c.steady(l, func(sh *share) {
		n = c.passed.Load()
		for ; sh != nil; sh = sh.older.Load() {
			n += sh.behind(-1)
		}
	})
	return n
}

// steady has counts read while the chain does not withdraw. Engine.mu is held, so that
// it does not enter a share.
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
