package capfile

import "sync/atomic"

// Counts are the books of a Writer: every packet passed to Add is in exactly
// one of the first seven.
type Counts struct {
	Written   uint64 // packets that are entirely in the file
	Waiting   uint64 // packets in the queue
	Full      uint64 // packets lost because the queue was full
	Failed    uint64 // packets not written because the file has failed
	Closed    uint64 // packets not written because the flow was closed before the file took them
	OtherType uint64 // packets of another link type, which the file cannot hold
	Beyond    uint64 // packets after the limit
	Cut       uint64 // packets in Written and Waiting that were truncated to the snapshot length
	FileBytes uint64 // bytes written, including headers
}

// Counts may be called at any time.
func (w *Writer) Counts() Counts {
	c := w.out.Counts()
	return Counts{
		Written: c.Written, Waiting: c.Waiting, Full: c.Full, Failed: c.Failed, Closed: c.Closed, FileBytes: c.Bytes,
		OtherType: w.counts.otherType.Load(), Beyond: w.counts.beyond.Load(), Cut: w.counts.cut.Load(),
	}
}

// counts are of packets that were not queued, or not entirely.
type counts struct {
	otherType atomic.Uint64 // packets of another link type
	beyond    atomic.Uint64 // packets after the limit
	cut       atomic.Uint64 // packets truncated to maxSnap
}
