package spool

// Add queues a record in two parts; the second may be nil. It copies them, and
// neither allocates nor locks. It waits only with Options.Park. If there is no
// room, Add counts the record and returns false. After any number of records,
// the caller must call Flush. A record has at least one byte, and fits into the
// empty queue.
func (w *Writer) Add(a, b []byte) bool {
	n := len(a) + len(b)
	if !w.queue.fits(n) && !w.makeRoom(n) {
		return false
	}
	w.queue.add(a, b)
	return true
}

// makeRoom waits for room for a record of n bytes, if it may. If there is no
// room, it counts the record.
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

// Flush makes the added records available for writing.
func (w *Writer) Flush() { w.queue.flush() }

// Over reports whether writing has ended or failed. If so, it counts n records
// as not written, and the caller need not add them.
func (w *Writer) Over(n int) bool {
	if w.counts.state.Load() == running {
		return false
	}
	w.counts.late.Add(uint64(n))
	return true
}
