package flib

import (
	"gomapi/internal/books"
	"gomapi/internal/ring"
)

// Record is what a function passes to its program beside packets and results; see
// ring.Record.
type Record = ring.Record

// Records passes records to the flow's owner. A function that embeds it has the methods
// that the engine looks for: Interrupt, End and Books. It calls Write for each record, and
// Flush once at the end of Process, Expire or Publish.
type Records struct {
	ring  *Ring
	waits bool
	fresh bool // there are records of which the reader has not been told
}

// NewRecords makes Records of a ring for records, for Env.NewRecords. waits says that Write
// may wait for the reader.
func NewRecords(ring *Ring, waits bool) *Records { return &Records{ring: ring, waits: waits} }

// Write copies a record into the ring and reports whether it is there. On a capture file it
// waits for room. A record that finds no room on a live device, or that is too large, is
// lost and counted. Write does not allocate and makes no system call unless it waits.
func (r *Records) Write(rec Record) bool {
	r.fresh = true // of a loss too
	if r.waits {
		return r.ring.RecordWait(rec)
	}
	return r.ring.Record(rec)
}

// Flush shows the records and the losses to the reader.
func (r *Records) Flush() {
	if r.fresh {
		r.fresh = false
		r.ring.Flush()
	}
}

// End implements Finisher: it tells the reader that no record will follow.
func (r *Records) End() []*Packet {
	r.ring.End()
	return nil
}

// Interrupt implements Interrupter: it ends the wait of Write, now and in later calls.
func (r *Records) Interrupt() { r.ring.Stop() }

// Books implements CounterSource. The counts of records are notes, because lines count
// packets. The engine counts those itself.
func (r *Records) Books() (out, notes []books.Line) {
	c := r.ring.Shown()
	return nil, []books.Line{
		{Name: books.RecordsWritten, Value: c.Written},
		{Name: books.RecordsLostBuffer, Value: c.Full},
		{Name: books.RecordsLostTooLarge, Value: c.TooLarge},
	}
}
