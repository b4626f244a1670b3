package engine

import (
	"sync/atomic"

	"gomapi/flib"
	"gomapi/internal/pkt"
)

// A ledger has what the functions of a chain add up that is alone behind its filter.
// Most chains of a device with ten thousands are of this kind, and each of them, with
// its functions and results, lies in many places of memory. Ledgers are a cache line
// each, side by side: the loop writes there, and hands the sums on bit by bit like
// those of branches.
type ledger struct {
	// packets came through the filter since the level began. The capture goroutine
	// adds, anybody reads.
	packets atomic.Uint64
	sums    [mostSums]uint64         // that were not handed on
	words   [mostSums]*atomic.Uint64 // the results
	left    atomic.Bool              // the results are not there any more, or the chain has left
	kind    uint16                   // of functions: its place in ledgers.kinds, 0: there is no ledger
	queued  bool
	_       [16]byte
}

const (
	mostSums  = 2       // functions of a ledger
	mostKinds = 1 << 12 // of functions, in a level
)

// hand gives the functions their sums.
func (l *ledger) hand() {
	for i, n := range l.sums {
		if n != 0 && !l.left.Load() {
			l.words[i].Add(n)
		}
	}
	l.sums = [mostSums]uint64{}
}

// look looks at the results.
func (l *ledger) look() {
	if l.words[0] != nil && !l.left.Load() {
		l.words[0].Load() // those of one flow lie together
	}
}

// ledgers are those of a level, by member.
type ledgers struct {
	list     []ledger
	kinds    [][]flib.Accumulator // the functions of the first chain of a kind; 0 is none
	known    map[string]int  // kinds, while the level is made
	queue    []uint32        // a ring of members with sums that were not handed on
	first, n int
}

func (ls *ledgers) fit(members int) {
	ls.list, ls.queue = make([]ledger, members), make([]uint32, members)
	ls.kinds, ls.known = make([][]flib.Accumulator, 1), make(map[string]int)
}

// open makes the ledger of a member that has a single chain, and returns the share of
// that; nil if the chain is not of the kind.
func (ls *ledgers) open(member int, s settling) *share {
	c, key := s.chain, ""
	if s.alone || !s.whole || len(c.steps) > mostSums {
		return nil
	}
	l := &ls.list[member]
	var summers []flib.Accumulator
	for i := range c.steps {
		k, ok := c.steps[i].shareKey()
		f := c.steps[i].summer()
		if !ok || f == nil {
			return nil
		}
		summers, key = append(summers, f), key+k
	}
	kind := ls.known[key]
	if kind == 0 {
		if kind = len(ls.kinds); kind == mostKinds {
			return nil
		}
		ls.kinds, ls.known[key] = append(ls.kinds, summers), kind
	}
	for i, f := range summers {
		l.words[i] = f.Total()
	}
	l.kind = uint16(kind)
	return &share{chain: c, ledger: l}
}

// enter adds packets that came through the filter of a member. It reports false if that
// has no ledger.
func (ls *ledgers) enter(member uint32, in []*pkt.Packet) bool {
	l := &ls.list[member]
	if l.kind == 0 {
		return false
	}
	for i, f := range ls.kinds[l.kind] {
		l.sums[i] += f.Sum(in)
	}
	l.packets.Add(uint64(len(in)))
	if !l.queued {
		l.queued = true
		ls.queue[(ls.first+ls.n)%len(ls.queue)] = member
		ls.n++
	}
	return true
}

// hand gives the functions of up to n members their sums.
func (ls *ledgers) hand(n int) {
	for n = min(n, ls.n); n > 0; {
		k := min(n, together)
		for i := range k { // first, for the reason that handEach has
			ls.at(i).look()
		}
		for i := range k {
			l := ls.at(i)
			l.hand()
			l.queued = false
		}
		ls.first, ls.n = (ls.first+k)%len(ls.queue), ls.n-k
		n -= k
	}
}

// at returns the ledger that is i places behind the first in the queue.
func (ls *ledgers) at(i int) *ledger { return &ls.list[ls.queue[(ls.first+i)%len(ls.queue)]] }
