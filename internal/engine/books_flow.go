package engine

import (
	"gomapi/flib"
	"gomapi/internal/books"
)

// books accounts for the packets of the flow, from the device, or the leading
// filter, to behind the last function. Before connect there are none. Engine.mu
// is held.
func (f *Flow) books() (b books.Stage) {
	c := f.chain
	if c == nil {
		return b
	}
	r := f.read()
	arrived, early := f.arrived(), c.early.Load()
	var refused, emitted uint64
	passed := max(arrived, early) - early
	for i := range c.steps {
		t := c.tally(f.capture.loop, i)
		refused += t.refused
		emitted += t.emitted
		passed = t.behind()
	}
	b.In = arrived + emitted
	b.Out = []books.Line{
		{Name: books.Passed, Value: passed}, {Name: books.Refused, Value: refused}, {Name: books.Early, Value: early},
	}
	b.Notes = []books.Line{{Name: books.Emitted, Value: emitted}}
	b.Moved = f.arrived() - arrived + r.moved()
	b.Opening = f.capture.opening
	return b
}

// tally reads the counts of function i, of one that is no leading filter.
func (f *Flow) tally(i int) tally {
	if f.chain == nil {
		return tally{}
	}
	step := 0
	for f.chain.steps[step].applied != f.functions[i] {
		step++
	}
	return f.chain.tally(f.capture.loop, step)
}

// arrived is what was given to the flow: by the leading filter, else by the
// device.
func (f *Flow) arrived() uint64 {
	if f.chain.lead != nil {
		return f.chain.arrived(f.capture.loop)
	}
	return f.delivered()
}

// delivered returns how many packets the device has delivered since the loop took
// the flow up.
func (f *Flow) delivered() uint64 {
	if !f.chain.adopted.Load() {
		return 0
	}
	base, total := f.chain.base.Load(), f.capture.loop.total.Load()
	return max(total, base) - base
}

// packets returns how many packets reached function i of the flow and how many
// went on behind it. A leading filter is asked about every packet of the device
// without being called; those from before connect do not count.
func (f *Flow) packets(i int) (in, out uint64) {
	a := f.functions[i]
	if f.chain == nil || f.chain.lead != a {
		t := f.tally(i)
		return t.packets, t.behind()
	}
	older, early := f.chain.older.Load(), f.chain.early.Load()
	in = f.delivered()
	return max(in, older) - older, f.chain.arrived(f.capture.loop) - early
}

// books accounts for the packets of function i: where it put them, if it is one
// that puts them somewhere, else which went on. A leading filter has no books:
// what it refuses is never touched, so nobody counts it. Engine.mu is held.
func (f *Flow) functionBooks(i int) (b books.Stage, ok bool) {
	a := f.functions[i]
	if f.chain == nil || f.chain.lead == a {
		return b, false
	}
	r := f.read()
	before := f.tally(i)
	b.Out = []books.Line{
		{Name: books.Passed, Value: before.passed()},
		{Name: books.Refused, Value: before.refused},
	}
	b.Notes = []books.Line{{Name: books.Emitted, Value: before.emitted}}
	if acc, ok := a.fn.(flib.CounterSource); ok {
		b.Out, b.Notes = acc.Books()
	}
	b.In = f.tally(i).packets
	b.Moved = b.In - before.packets + r.moved()
	b.Opening = f.capture.opening
	return b, true
}

// A reading of a flow's books, from its beginning.
type reading struct {
	*Flow
	at      uint64 // moment
	emitted uint64
	afoot   uint64 // emitted before and under way
}

// read begins a reading.
func (f *Flow) read() reading {
	r := reading{Flow: f, at: f.capture.loop.moment(), emitted: f.chain.emitted()}
	r.afoot = f.chain.afoot.Load() // after emitted: no emission is in neither
	return r
}

// moved ends a reading. It returns how many packets at most were half-way
// meanwhile, apart from those that arrived: of a batch, and emitted ones.
func (r reading) moved() uint64 {
	return r.chain.emitted() - r.emitted + r.afoot + r.capture.loop.since(r.at)
}

// emitted is what the functions have emitted.
func (c *chain) emitted() (n uint64) {
	for i := range c.steps {
		n += c.steps[i].emitted.Load()
	}
	return n
}

// lost returns how many packets the functions of the flow have lost for those for
// whom they put them somewhere.
func (f *Flow) lost() (n uint64) {
	for _, a := range f.functions {
		if acc, ok := a.fn.(flib.CounterSource); ok {
			var b books.Stage
			b.Out, _ = acc.Books()
			n += b.Lost()
		}
	}
	return n
}
