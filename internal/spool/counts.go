package spool

import (
	"sync"
	"sync/atomic"
)

// Counts are the books of a Writer: every record that was added, or that Over was
// told of, is in exactly one of the first five.
type Counts struct {
	Written uint64 // records that are wholly in the file
	Waiting uint64 // records in the queue
	Full    uint64 // records lost because the queue was full
	Failed  uint64 // records not written because the file has failed
	Closed  uint64 // records not written because the Writer was closed and the file too slow
	Bytes   uint64 // bytes written, the head included
}

// Counts may be called at any time. What waits, or was left when writing ended, is
// looked for in the queue: a record that was taken off and not written is nowhere.
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

// counts is what Counts is made of, apart from the queue.
type counts struct {
	full atomic.Uint64 // records lost for want of room
	late atomic.Uint64 // records that came when writing had ended or was being ended

	state   atomic.Int32
	written atomic.Uint64 // records
	bytes   atomic.Uint64
	// taking is held while records go from the queue to written, so that nobody
	// finds one in neither. The capture goroutine never takes it.
	taking sync.Mutex
}

// States of a Writer.
const (
	running  = iota
	complete // everything is in the file
	failed   // the file has failed
	closed   // the file did not take everything in time
)
