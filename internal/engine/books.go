package engine

import (
	"slices"
	"time"

	"gomapi/drivers"
	"gomapi/internal/books"
	"gomapi/internal/mapierr"
)

// DeviceBooks accounts for the packets of an open device: a live one, or a capture file of
// this session. It returns 3200 for an unknown device, 8003 or 8001 for one that the policy does not
// show, 8004 for one that is not open.
func (s *Session) DeviceBooks(name string) (books.Stage, error) {
	_, c, err := s.opened(name)
	if err != nil {
		return books.Stage{}, err
	}
	if c == nil {
		return books.Stage{}, mapierr.New(mapierr.Stats, "device %q has no books: no flow uses it", name)
	}
	return c.books(), nil
}

// books accounts for the packets of the device. A packet is in no count while the kernel
// hands it to the driver, or the driver to the loop: less than a microsecond, but some 10 ms
// if the thread is preempted then. So books that do not balance are read again.
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
	at := c.loop.Moment()
	before := c.dev.Stats().Recv
	delivered, noFlow := c.loop.Total()
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
		Notes: slices.Concat(deviceNotes(st), c.loop.Notes(), []books.Line{
			{Name: books.LostClosedFlows, Value: c.lostByClosed.Load()},
			{Name: books.Shared, Value: c.loop.Spared()},
		}),
		Opening: c.opening,
	}
	b.Out = appendSome(b.Out, books.Filtered, st.Filtered)
	b.Notes = appendSome(b.Notes, books.Faults, c.faults.Load())
	b.Notes = appendSome(b.Notes, books.PassedBy, c.passedBy())
	b.Notes = appendSome(b.Notes, books.Withheld, c.refusedByForced())
	total, without := c.loop.Total()
	b.Moved = st.Recv - before + total - delivered + without - noFlow + c.loop.Since(at)
	return b
}

func deviceNotes(st drivers.Stats) []books.Line {
	return []books.Line{
		{Name: books.LostInterface, Value: st.IfDrop},
		{Name: books.DroppedInterface, Value: st.IfDropOther},
		{Name: books.OfWhichTruncated, Value: st.Truncated},
		{Name: books.OfWhichOutOfTime, Value: st.OutOfTime},
		{Name: books.SkippedRecords, Value: st.SkippedRecords},
		{Name: books.UnknownLosses, Value: st.UnknownLosses},
		{Name: books.Freezes, Value: st.Freezes},
		{Name: books.Reopens, Value: st.Reopens},
	}
}
