package spool

import (
	"sync"
	"sync/atomic"
)

// Counts are the books of a Writer: every record passed to Add or counted by
// Over is in exactly one of the first five.
type Counts struct {
	Written uint64 // records that are entirely in the file
	Waiting uint64 // records in the queue
	Full    uint64 // records lost because the queue was full
	Failed  uint64 // records not written because the file has failed
	Closed  uint64 // records not written because the Writer was closed before the file took them
	Bytes   uint64 // bytes written, including the header
}

// Counts may be called at any time. It takes waiting and remaining records from
// the queue itself, so a record that was removed and not written is missing
// from the counts.
func (w *Writer) Counts() Counts {
	c := &w.counts
	out := Counts{Full: c.full.Load()}
	state, late := c.state.Load(), c.late.Load()
	c.taking.Lock()
	out.Written, out.Bytes = c.written.Load(), c.bytes.Load()
	left := w.queue.waiting()
	c.taking.Unlock()
	switch state {
	case failed:
		out.Failed = left + late
	case closed:
		out.Closed = left + late
	default:
		out.Waiting, out.Closed = left, late
	}
	return out
}

// counts are the parts of Counts that do not come from the queue.
type counts struct {
	full atomic.Uint64 // records lost because the queue was full
	late atomic.Uint64 // records added when writing had ended or was ending

	state   atomic.Int32
	written atomic.Uint64 // records
	bytes   atomic.Uint64
	// taking is held while records move from the queue to written, so that each
	// record is always in one of the two. The capture goroutine never locks it.
	taking sync.Mutex
}

// States of a Writer.
const (
	running  = iota
	complete // all records are in the file
	failed   // the file has failed
	closed   // the file did not take all records in time
)
