package engine

import (
	"gomapi/flib"
	"gomapi/internal/books"
	"gomapi/internal/chain"
)

// booksLocked accounts for the packets of the flow, from the device, or the prefilter,
// to behind the last function. Before connect there are none. Engine.mu
// is held.
func (f *Flow) booksLocked() (b books.Stage) {
	c := f.chain
	if c == nil {
		return b
	}
	r := f.read()
	arrived := f.capture.loop.Arrived(c)
	_, early := c.Older()
	var refused, emitted uint64
	passed := max(arrived, early) - early
	for i := range c.Steps {
		t := f.capture.loop.Tally(c, i)
		refused += t.Refused
		emitted += t.Emitted
		passed = t.Behind()
	}
	b.In = arrived + emitted
	b.Out = []books.Line{
		{Name: books.Passed, Value: passed}, {Name: books.Refused, Value: refused}, {Name: books.Early, Value: early},
	}
	b.Notes = []books.Line{{Name: books.Emitted, Value: emitted}}
	b.Moved = f.capture.loop.Arrived(c) - arrived + r.moved()
	b.Opening = f.capture.opening
	return b
}

// tallyLocked reads the counts of function i, of one that is no leading filter.
func (f *Flow) tallyLocked(i int) chain.Tally {
	if f.chain == nil {
		return chain.Tally{}
	}
	step := 0
	for f.chain.Steps[step].Instance != &f.functions[i].Instance {
		step++
	}
	return f.capture.loop.Tally(f.chain, step)
}

// packetsLocked returns how many packets reached function i of the flow and how many
// went on behind it. A prefilter is asked about every packet of the device
// without being called; those from before connect do not count.
func (f *Flow) packetsLocked(i int) (in, out uint64) {
	a := f.functions[i]
	if f.chain == nil || f.chain.Prefilter != &a.Instance {
		t := f.tallyLocked(i)
		return t.Packets, t.Behind()
	}
	older, early := f.chain.Older()
	in = f.capture.loop.Delivered(f.chain)
	return max(in, older) - older, f.capture.loop.Arrived(f.chain) - early
}

// books accounts for the packets of function i: where it put them, if it is one
// that puts them somewhere, else which went on. A prefilter has no books:
// what it refuses is never touched, so nobody counts it. Engine.mu is held.
func (f *Flow) functionBooksLocked(i int) (b books.Stage, ok bool) {
	a := f.functions[i]
	if f.chain == nil || f.chain.Prefilter == &a.Instance {
		return b, false
	}
	r := f.read()
	before := f.tallyLocked(i)
	b.Out = []books.Line{
		{Name: books.Passed, Value: before.Passed()},
		{Name: books.Refused, Value: before.Refused},
	}
	b.Notes = []books.Line{{Name: books.Emitted, Value: before.Emitted}}
	if acc, ok := a.Fn.(flib.CounterSource); ok {
		b.Out, b.Notes = acc.Books()
	}
	b.In = f.tallyLocked(i).Packets
	b.Moved = b.In - before.Packets + r.moved()
	b.Opening = f.capture.opening
	return b, true
}

// A reading of a flow's books, from its beginning.
type reading struct {
	*Flow
	at       uint64 // moment
	emitted  uint64
	inFlight uint64 // emitted before and under way
}

// read begins a reading.
func (f *Flow) read() reading {
	r := reading{Flow: f, at: f.capture.loop.Moment(), emitted: f.chain.Emitted()}
	r.inFlight = f.chain.InFlight() // after emitted: no emission is in neither
	return r
}

// moved ends a reading. It returns how many packets at most were half-way
// meanwhile, apart from those that arrived: of a batch, and emitted ones.
func (r reading) moved() uint64 {
	return r.chain.Emitted() - r.emitted + r.inFlight + r.capture.loop.Since(r.at)
}

// lost returns how many packets the functions of the flow have lost for those for
// whom they put them somewhere.
func (f *Flow) lost() (n uint64) {
	for _, a := range f.functions {
		if acc, ok := a.Fn.(flib.CounterSource); ok {
			var b books.Stage
			b.Out, _ = acc.Books()
			n += b.Lost()
		}
	}
	return n
}
