package engine

import (
	"slices"
	"sync/atomic"
	"time"

	"gomapi/drivers"
	"gomapi/internal/books"
	"gomapi/internal/mapierr"
)

// counts are the books of one function. The capture goroutine adds once per
// batch: packets before the function sees them, the rest afterwards.
type counts struct {
	packets atomic.Uint64 // reached the function
	refused atomic.Uint64 // of packets, held back: the function did not return them
	emitted atomic.Uint64 // made besides
}

// sent counts what a function made of n packets.
func (c *counts) sent(n, out int) {
	switch {
	case out < n:
		c.refused.Add(uint64(n - out))
	case out > n:
		c.emitted.Add(uint64(out - n))
	}
}

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
		Notes: slices.Concat(deviceNotes(st), c.loop.plan.Load().notes(), []books.Line{
			{Name: books.LostClosedFlows, Value: c.lostByClosed.Load()},
			{Name: books.Shared, Value: c.loop.spared.Load()},
		}),
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
		{Name: books.OfWhichOutOfTime, Value: st.OutOfTime},
		{Name: books.Freezes, Value: st.Freezes},
		{Name: books.Reopens, Value: st.Reopens},
	}
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
