package spool

// Add queues a record in two parts, the second of which may be nil. It copies
// them, and neither allocates nor locks; without Options.Park it does not wait. A
// record that finds no room is counted, and Add reports false. Flush follows,
// after any number of records. A record has at least one byte, and fits into the
// empty queue.
func (w *Writer) Add(a, b []byte) bool {
	n := len(a) + len(b)
	if !w.queue.fits(n) && !w.makeRoom(n) {
		return false
	}
	w.queue.add(a, b)
	return true
}

// makeRoom waits for room for a record of n bytes, if it may. Without room the
// record is counted.
func (w *Writer) makeRoom(n int) bool {
	if w.options.Park == nil {
		w.counts.full.Add(1)
		return false
	}
	w.Flush()
	w.need = n
	w.options.Park(w.wait)
	if !w.queue.fits(n) {
		w.counts.late.Add(1)
		return false
	}
	return true
}

// Flush lets the file have what was added.
func (w *Writer) Flush() { w.queue.flush() }

// Over reports whether writing has ended or failed. Then it counts n records as
// not written, and nothing needs to be added.
func (w *Writer) Over(n int) bool {
	if w.counts.state.Load() == running {
		return false
	}
	w.counts.late.Add(uint64(n))
	return true
}
