package segment

import (
	"sync/atomic"

	"gomapi/flib"
	"gomapi/internal/pkt"
	"gomapi/internal/share"
)

// An accumulator holds the sums of a chain that is alone behind its filter and only adds
// up. Most chains are of this kind on a device with tens of thousands, and the functions
// and results of each are scattered in memory. Accumulators are one cache line each, side
// by side. The loop writes only there; the sums are flushed step by step like those of
// nodes.
type accumulator struct {
	// packets counts what the filter let through since the segment began. The capture
	// goroutine adds, any goroutine reads.
	packets  atomic.Uint64
	sums     [mostSums]uint64         // pending
	words    [mostSums]*atomic.Uint64 // the results
	released atomic.Bool              // the results may be freed, or the chain has detached
	kind     uint16                   // of functions: index into accumulators.kinds, 0: no accumulator
	queued   bool
	_        [16]byte
}

const (
	mostSums  = 2       // functions per accumulator
	mostKinds = 1 << 12 // kinds of functions per segment
)

// Flush implements chain.Shared.
func (a *accumulator) Flush() {
	for i, n := range a.sums {
		if n != 0 && !a.released.Load() {
			a.words[i].Add(n)
		}
	}
	a.sums = [mostSums]uint64{}
}

// Functions implements chain.Shared.
func (a *accumulator) Functions() (n int) {
	for n < mostSums && a.words[n] != nil {
		n++
	}
	return n
}

// Behind implements chain.Shared: all functions let all packets through.
func (a *accumulator) Behind(int) uint64 { return a.packets.Load() }

// Release implements chain.Shared.
func (a *accumulator) Release() { a.released.Store(true) }

// fetch loads the results into the cache.
func (a *accumulator) fetch() {
	if a.words[0] != nil && !a.released.Load() {
		a.words[0].Load() // results of one flow are adjacent
	}
}

// accumulators are the accumulators of a segment, by member.
type accumulators struct {
	list    []accumulator
	shares  []*share.Share       // who pays, by member
	kinds   [][]flib.Accumulator // functions of the first chain of each kind; entry 0 is unused
	known   map[string]int       // kind by share keys, while the segment is built
	failing int                  // index of the function that runs
}

func (as *accumulators) fit(members int) {
	as.list, as.shares = make([]accumulator, members), make([]*share.Share, members)
	as.kinds, as.known = make([][]flib.Accumulator, 1), make(map[string]int)
}

// open makes the accumulator of a member that has a single chain. It returns false if the
// chain cannot have one: it is not shareable, or some function does not add up.
func (as *accumulators) open(member int, c Candidate) bool {
	steps, key := c.Chain.Steps, ""
	if c.Alone || !c.CaughtUp || len(steps) > mostSums {
		return false
	}
	var functions []flib.Accumulator
	for i := range steps {
		k, ok := steps[i].SharedKey()
		f := steps[i].Accumulator()
		if !ok || f == nil {
			return false
		}
		functions, key = append(functions, f), key+k
	}
	kind := as.known[key]
	if kind == 0 {
		if kind = len(as.kinds); kind == mostKinds {
			return false
		}
		as.kinds, as.known[key] = append(as.kinds, functions), kind
	}
	a := &as.list[member]
	for i, f := range functions {
		a.words[i] = f.Total()
	}
	a.kind = uint16(kind)
	as.shares[member] = c.Chain.Share
	return true
}

// add adds up packets that the filter of a let through.
func (as *accumulators) add(a *accumulator, in []*pkt.Packet) {
	var sums [mostSums]uint64 // added together: a function may fail
	for i, f := range as.kinds[a.kind] {
		as.failing = i
		sums[i] = f.Sum(in)
	}
	for i := range sums {
		a.sums[i] += sums[i]
	}
	a.packets.Add(uint64(len(in)))
}
