package capfile

import "sync/atomic"

// Counts are the books of a Writer: every packet that Add was given is in
// exactly one of the first seven.
type Counts struct {
	Written   uint64 // packets that are wholly in the file
	Waiting   uint64 // packets in the queue
	Full      uint64 // packets lost because the queue was full
	Failed    uint64 // packets not written because the file has failed
	Closed    uint64 // packets not written because the flow was closed and the file too slow
	OtherType uint64 // packets of another link type, which the file cannot hold
	Beyond    uint64 // packets after the limit
	Cut       uint64 // packets among the written and waiting ones that were cut to the snapshot length
	FileBytes uint64 // bytes written, heads included
}

// Counts may be called at any time.
func (w *Writer) Counts() Counts {
	c := &w.counts
	out := Counts{Written: c.written.Load(), FileBytes: c.bytes.Load()}
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
	out.Full, out.OtherType, out.Beyond, out.Cut = c.full.Load(), c.otherType.Load(), c.beyond.Load(), c.cut.Load()
	return out
}

// counts is what Counts is made of.
type counts struct {
	accepted  atomic.Uint64 // packets put into the queue
	full      atomic.Uint64 // packets lost for want of room
	late      atomic.Uint64 // packets that came when writing had ended or was being ended
	otherType atomic.Uint64 // packets of another link type
	beyond    atomic.Uint64 // packets after the limit
	cut       atomic.Uint64 // packets shortened to maxSnap

	state   atomic.Int32
	written atomic.Uint64 // packets
	bytes   atomic.Uint64
}

// States of a Writer.
const (
	running  = iota
	complete // everything is in the file
	failed   // the file has failed
	closed   // the file did not take everything in time
)
