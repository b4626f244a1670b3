package segment

import (
	"sync/atomic"

	"gomapi/flib"
	"gomapi/internal/pkt"
)

// An accumulator has what the functions of a chain add up that is alone behind its
// filter. Most chains of a device with ten thousands are of this kind, and each of them,
// with its functions and results, lies in many places of memory. Accumulators are a cache
// line each, side by side: the loop writes there, and the sums are flushed bit by bit
// like those of nodes.
type accumulator struct {
	// packets came through the filter since the segment began. The capture goroutine
	// adds, anybody reads.
	packets  atomic.Uint64
	sums     [mostSums]uint64         // that are pending
	words    [mostSums]*atomic.Uint64 // the results
	released atomic.Bool              // the results are not there any more, or the chain has detached
	kind     uint16                   // of functions: its place in accumulators.kinds, 0: there is no accumulator
	queued   bool
	_        [16]byte
}

const (
	mostSums  = 2       // functions of an accumulator
	mostKinds = 1 << 12 // of functions, in a segment
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

// fetch looks at the results.
func (a *accumulator) fetch() {
	if a.words[0] != nil && !a.released.Load() {
		a.words[0].Load() // those of one flow lie together
	}
}

// accumulators are those of a segment, by member.
type accumulators struct {
	list  []accumulator
	kinds [][]flib.Accumulator // the functions of the first chain of a kind; 0 is none
	known map[string]int       // kinds, while the segment is built
}

func (as *accumulators) fit(members int) {
	as.list = make([]accumulator, members)
	as.kinds, as.known = make([][]flib.Accumulator, 1), make(map[string]int)
}

// open makes the accumulator of a member that has a single chain. It reports false if the
// chain is not of the kind.
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
	return true
}

// add adds packets that came through the filter of a.
func (as *accumulators) add(a *accumulator, in []*pkt.Packet) {
	for i, f := range as.kinds[a.kind] {
		a.sums[i] += f.Sum(in)
	}
	a.packets.Add(uint64(len(in)))
}
