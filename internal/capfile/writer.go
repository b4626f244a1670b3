// Package capfile writes capture files: classic pcap with microseconds.
//
// A Writer converts packets to records and passes them to a spool, so that a
// slow disk or a dead reader never delays a live capture. Every packet ends in
// exactly one counter, see Counts.
package capfile

import (
	"math"

	"gomapi/internal/outfile"
	"gomapi/internal/spool"
)

// Size of the queue: bytes for 30 ms of a full gigabit link, and enough packets
// that the bytes are the limit unless all packets are tiny.
const (
	queueBytes   = 4 << 20
	queuePackets = 64 << 10
)

// QueueMemory is what the queue of a Writer takes, in bytes.
const QueueMemory = queueBytes + 4*queuePackets

// Options configure a Writer.
type Options struct {
	LinkType uint16 // DLT; packets with another are rejected
	Limit    uint64 // number of packets to write, 0: no limit
	// Park runs a wait for room in the queue. Without Park, Add does not wait,
	// and packets are lost when the queue is full.
	Park func(wait func())
	// Ended is called once on the Writer's goroutine: with nil when all packets
	// are in the file and the file is closed, with the error when writing has
	// failed. It is not called after Close has returned.
	Ended func(err error)
}

// A Writer writes packets to a file. Add belongs to the capture goroutine.
// Start, Finish and Close must not run concurrently with Add. Any goroutine may
// call the other methods.
type Writer struct {
	linkType uint16
	counts   counts
	out      *spool.Writer

	left uint64 // packets until the limit, a huge number if there is none; used by the goroutine that calls Add
}

// New creates a Writer of a file and takes ownership of the file. It does not
// write yet.
func New(file *outfile.File, o Options) *Writer {
	w := &Writer{
		linkType: o.LinkType, left: o.Limit,
		out: spool.New(file, spool.Options{Unit: "packets", Bytes: queueBytes, Records: queuePackets, Park: o.Park, Ended: o.Ended}),
	}
	if o.Limit == 0 {
		w.left = math.MaxUint64
	}
	return w
}

// Start queues the file header and starts the goroutine that writes. The
// goroutine ends after Finish or Close, or when writing fails; Close waits for
// it.
func (w *Writer) Start() { w.out.Start(head(w.linkType)) }

// Finish says that no more packets follow: the rest is written and the file
// closed.
func (w *Writer) Finish() { w.out.Finish() }

// Interrupt ends current and future waits of Add, and starts the time limit for
// writing the queued packets. Close must follow.
func (w *Writer) Interrupt() { w.out.Interrupt() }

// Close returns when everything is written, or 0.8 s after Interrupt, or 0.8 s
// after the call if there was no Interrupt. It returns the error that ended
// writing, with the number of packets lost. It may be called more than once.
func (w *Writer) Close() error { return w.out.Close() }
