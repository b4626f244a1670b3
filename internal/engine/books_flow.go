package engine

import (
	"gomapi/flib"
	"gomapi/internal/books"
	"gomapi/internal/chain"
)

// booksLocked accounts for the packets of the flow, from the prefilter, or else the device,
// to the end of the chain. Before connect the books are empty. Engine.mu is held.
func (f *Flow) booksLocked() (b books.Stage) {
	c := f.chain
	if c == nil {
		return b
	}
	r := f.read()
	arrived := f.capture.loop.Arrived(c)
	_, early := c.Older()
	var refused, taken, failed, emitted uint64
	passed := max(arrived, early) - early
	for i := range c.Steps {
		t := f.capture.loop.Tally(c, i)
		refused += t.Refused
		taken += t.Taken
		failed += t.Failed
		emitted += t.Emitted
		passed = t.Behind()
	}
	missed, unserved := f.capture.loop.Missed(c)
	if b.In = arrived + emitted; c.Prefilter != nil {
		b.In += missed
	}
	b.Out = []books.Line{
		{Name: books.Passed, Value: passed}, {Name: books.Refused, Value: refused}, {Name: books.Early, Value: early},
	}
	b.Out = appendSome(b.Out, books.Taken, taken)
	b.Out = appendSome(b.Out, books.LostFault, failed)
	b.Out = appendSome(b.Out, books.LostShare, missed+unserved)
	b.Notes = []books.Line{{Name: books.Emitted, Value: emitted}}
	b.Moved = f.capture.loop.Arrived(c) - arrived + r.moved()
	b.Opening = f.capture.opening
	return b
}

// tallyLocked reads the counts of function i, which must not be the prefilter. Engine.mu is
// held.
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

// packetsLocked returns how many packets reached function i of the flow and how many left
// it. The prefilter is not called but counts as reached by every packet of the device since
// the connect. Engine.mu is held.
func (f *Flow) packetsLocked(i int) (in, out uint64) {
	a := f.functions[i]
	if f.chain == nil || f.chain.Prefilter != &a.Instance {
		t := f.tallyLocked(i)
		return t.Packets, t.Behind()
	}
	older, early := f.chain.Older()
	in = f.capture.loop.Delivered(f.chain)
	missed, _ := f.capture.loop.Missed(f.chain)
	older += missed
	return max(in, older) - older, f.capture.loop.Arrived(f.chain) - early
}

// functionBooksLocked accounts for the packets of function i: where it put them
// (flib.CounterSource), or else how many went on. A prefilter has no books, because the
// packets that it refuses are not counted. Engine.mu is held.
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
	b.Out = appendSome(b.Out, books.Taken, before.Taken)
	b.Out = appendSome(b.Out, books.LostFault, before.Failed)
	b.Notes = []books.Line{{Name: books.Emitted, Value: before.Emitted}}
	acc, ok := a.Fn.(flib.CounterSource)
	if ok {
		var out, notes []books.Line
		if out, notes = acc.Books(); out != nil {
			b.Out = out
		}
		b.Notes = append(b.Notes, notes...)
	}
	b.In = f.tallyLocked(i).Packets
	if missing := b.Missing(); f.chain.Failed() && missing > 0 && acc != nil {
		b.Out = append(b.Out, books.Line{Name: books.LostFault, Value: uint64(missing)})
	}
	b.Moved = b.In - before.Packets + r.moved()
	b.Opening = f.capture.opening
	return b, true
}

// A reading is the state of a flow when a reading of its books begins.
type reading struct {
	*Flow
	at       uint64 // Loop.Moment
	emitted  uint64
	inFlight uint64 // emitted packets that were under way
}

// read begins a reading.
func (f *Flow) read() reading {
	r := reading{Flow: f, at: f.capture.loop.Moment(), emitted: f.chain.Emitted()}
	r.inFlight = f.chain.InFlight() // after emitted, so that no emission is missed in both
	return r
}

// moved ends a reading. It returns the maximum number of packets that were half-way
// meanwhile, without new arrivals: one batch and the emitted packets.
func (r reading) moved() uint64 {
	return r.chain.Emitted() - r.emitted + r.inFlight + r.capture.loop.Since(r.at)
}

// lost returns how many packets the functions of the flow have lost on the way to their
// readers or files, and how many the flow did not get because it was passed by.
func (f *Flow) lost() (n uint64) {
	if f.chain != nil {
		missed, unserved := f.capture.loop.Missed(f.chain)
		n = missed + unserved
	}
	for _, a := range f.functions {
		if acc, ok := a.Fn.(flib.CounterSource); ok {
			var b books.Stage
			b.Out, _ = acc.Books()
			n += b.Lost()
		}
	}
	return n
}

// refusedByForced returns how many packets the forced functions have not let through to derived devices.
func (c *capture) refusedByForced() uint64 {
	c.device.engine.mu.Lock()
	defer c.device.engine.mu.Unlock()
	n := c.withheld
	for _, d := range c.derived {
		n += d.withheldLocked()
	}
	return n
}

// withheldLocked returns how many packets the forced functions have not let through. Engine.mu is
// held.
func (d *derivation) withheldLocked() (n uint64) {
	for i, a := range d.flow.functions {
		if in, out := d.flow.packetsLocked(i); in > out && a != d.sink {
			n += in - out
		}
	}
	return n
}

// appendSome appends a line that most books do not have, unless it is 0.
func appendSome(out []books.Line, name string, n uint64) []books.Line {
	if n == 0 {
		return out
	}
	return append(out, books.Line{Name: name, Value: n})
}
