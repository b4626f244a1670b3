package spool

import "sync/atomic"

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

// Counts may be called at any time.
func (w *Writer) Counts() Counts {
	c := &w.counts
	out := Counts{Written: c.written.Load(), Bytes: c.bytes.Load()}
	state := c.state.Load()
	rest, late := c.accepted.Load()-out.Written, c.late.Load()
	switch state {
	case failed:
		out.Failed = rest + late
	case closed:
		out.Closed = rest + late
	default:
		out.Waiting, out.Closed = rest, late
	}
	out.Full = c.full.Load()
	return out
}

// counts is what Counts is made of.
type counts struct {
	accepted atomic.Uint64 // records put into the queue
	full     atomic.Uint64 // records lost for want of room
	late     atomic.Uint64 // records that came when writing had ended or was being ended

	state   atomic.Int32
	written atomic.Uint64 // records
	bytes   atomic.Uint64
}

// States of a Writer.
const (
	running  = iota
	complete // everything is in the file
	failed   // the file has failed
	closed   // the file did not take everything in time
)
