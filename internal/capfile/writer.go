// Package capfile writes capture files: classic pcap with microseconds.
//
// A Writer makes records of packets and gives them to a spool, so that what
// happens to the file, slow disk or dead reader, is never felt by a live capture.
// Every packet ends in exactly one counter, see Counts.
package capfile

import (
	"math"

	"gomapi/internal/outfile"
	"gomapi/internal/spool"
)

// What waits for the file: bytes for 30 ms of a full gigabit link, and so many
// packets that the bytes decide, unless all are tiny.
const (
	queueBytes   = 4 << 20
	queuePackets = 64 << 10
)

// Options say what to write.
type Options struct {
	LinkType uint16 // DLT; packets of others are refused
	Limit    uint64 // packets to write, 0: no limit
	// Park runs a wait for room in the queue. Without it Add does not wait, and
	// packets are lost when the queue is full.
	Park func(wait func())
	// Ended is called once, on a goroutine of the Writer's own: with nil when
	// everything is in the file and the file is closed, with the error when
	// writing has failed. It is not called any more when Close has returned.
	Ended func(err error)
}

// A Writer writes packets into a file. Add belongs to the capture goroutine;
// Start, Finish and Close to whoever knows that no Add is under way; the rest to
// anybody.
type Writer struct {
	linkType uint16
	counts   counts
	out      *spool.Writer

	left uint64 // packets until the limit, practically endless without; of the goroutine that calls Add
}

// New makes a Writer of a file, which it takes over, and does nothing yet.
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

// Start begins the file with its head. The goroutine that writes ends after
// Finish or Close, or when writing fails; Close waits for it.
func (w *Writer) Start() { w.out.Start(head(w.linkType)) }

// Finish says that no packet follows: the rest is written, the file closed.
func (w *Writer) Finish() { w.out.Finish() }

// Interrupt ends what Add waits for, now and later, and starts the time that the
// file has to take what is queued. Close follows.
func (w *Writer) Interrupt() { w.out.Interrupt() }

// Close returns when everything is written, or 0.7 s after Interrupt, or after the
// call without one. It returns the error that has ended writing, and says how many
// packets it has cost. Twice is fine.
func (w *Writer) Close() error { return w.out.Close() }
