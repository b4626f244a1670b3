package engine

import (
	"sync/atomic"
	"time"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/books"
	"gomapi/internal/mapierr"
)

// counts are the books of one function. The capture goroutine adds once per
// batch: packets before the function sees them, the rest afterwards.
type counts struct {
	packets atomic.Uint64 // reached the function
	passed  atomic.Uint64 // of packets, went on
	refused atomic.Uint64 // of packets, held back: the function did not return them
	emitted atomic.Uint64 // made besides
}

// sent counts what a function made of n packets.
func (c *counts) sent(n, out int) {
	c.passed.Add(uint64(min(n, out)))
	switch {
	case out < n:
		c.refused.Add(uint64(n - out))
	case out > n:
		c.emitted.Add(uint64(out - n))
	}
}

// behind returns how many packets went on behind the function.
func (c *counts) behind() uint64 { return c.passed.Load() + c.emitted.Load() }

// DeviceBooks accounts for the packets of an open device, live or an own capture
// file: 3200 for an unknown one, 8004 for one that is not open.
func (s *Session) DeviceBooks(name string) (books.Stage, error) {
	d, err := s.device(name)
	if err != nil {
		return books.Stage{}, err
	}
	s.engine.mu.Lock()
	c := d.cur
	s.engine.mu.Unlock()
	if c == nil {
		return books.Stage{}, mapierr.New(mapierr.Stats, "device %q has no books: no flow uses it", name)
	}
	return c.books(), nil
}

// books accounts for the packets of the device. One that is just being handed
// from the kernel to the driver, or from there to the loop, is in nobody's count
// for less than a microsecond, but for some 10 ms when the thread loses its
// processor just then. So books that do not balance are read again.
func (c *capture) books() (b books.Stage) {
	const readings, pause = 100, time.Millisecond
	for range readings {
		if b = c.readBooks(); b.Balances() {
			return b
		}
		time.Sleep(pause)
	}
	return b
}

func (c *capture) readBooks() books.Stage {
	at := c.loop.moment()
	before := c.dev.Stats().Recv
	delivered, noFlow := c.loop.total.Load(), c.loop.noFlow.Load()
	st := c.dev.Stats()
	b := books.Stage{
		In: st.Recv,
		Out: []books.Line{
			{Name: books.Delivered, Value: delivered},
			{Name: books.NoFlow, Value: noFlow},
			{Name: books.LostRing, Value: st.Drop},
			{Name: books.LostUnreadable, Value: st.Errors},
			{Name: books.Waiting, Value: st.Waiting},
		},
		Notes:   append(deviceNotes(st), books.Line{Name: books.LostClosedFlows, Value: c.lostByClosed.Load()}),
		Opening: c.opening,
	}
	moved := c.loop.total.Load() - delivered + c.loop.noFlow.Load() - noFlow
	b.Moved = st.Recv - before + moved + c.loop.since(at)
	return b
}

func deviceNotes(st drivers.Stats) []books.Line {
	return []books.Line{
		{Name: books.LostInterface, Value: st.IfDrop},
		{Name: books.DroppedInterface, Value: st.IfDropOther},
		{Name: books.OfWhichTruncated, Value: st.Truncated},
		{Name: books.Freezes, Value: st.Freezes},
		{Name: books.Reopens, Value: st.Reopens},
	}
}

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
		s := &c.steps[i]
		refused += s.refused.Load()
		emitted += s.emitted.Load()
		passed = s.behind()
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

// arrived is what was given to the flow: by the leading filter, else by the
// device.
func (f *Flow) arrived() uint64 {
	if lead := f.chain.lead; lead != nil {
		return lead.passed.Load()
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
		return a.packets.Load(), a.behind()
	}
	older, early := f.chain.older.Load(), f.chain.early.Load()
	in = f.delivered()
	return max(in, older) - older, a.passed.Load() - early
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
	before := a.packets.Load()
	b.Out = []books.Line{
		{Name: books.Passed, Value: a.passed.Load()},
		{Name: books.Refused, Value: a.refused.Load()},
	}
	b.Notes = []books.Line{{Name: books.Emitted, Value: a.emitted.Load()}}
	if acc, ok := a.fn.(flib.Accountant); ok {
		b.Out, b.Notes = acc.Books()
	}
	b.In = a.packets.Load()
	b.Moved = b.In - before + r.moved()
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
		if acc, ok := a.fn.(flib.Accountant); ok {
			var b books.Stage
			b.Out, _ = acc.Books()
			n += b.Lost()
		}
	}
	return n
}

// moment begins a reading of the books.
func (l *loop) moment() uint64 { return l.turn.Load() }

// since returns how many packets may have been half-way since a moment: those
// of the batch that was under way, at most.
func (l *loop) since(at uint64) uint64 {
	if at&1 == 0 && l.turn.Load() == at {
		return 0
	}
	return drivers.MaxBatch
}
