// Package spool writes records to files that may be slow.
//
// A Writer has two sides. Add, on the capture goroutine, copies a record into a
// bounded queue. A separate goroutine writes the queue to the file: in large
// writes under load, and otherwise within 100 ms. A slow disk or a dead reader
// never delays a live capture: records that find no room are counted and lost.
// Every record ends in exactly one counter, see Counts. The caller defines the
// contents of a record.
package spool

import (
	"fmt"
	"sync"
	"time"

	"gomapi/internal/outfile"
)

const (
	writeSize  = 256 << 10 // bytes of one write; this many are written at once
	flushEvery = 100 * time.Millisecond

	// CloseGrace is how long a file may take to accept the remaining data when
	// it is closed. stopGrace is how long a goroutine may take to notice that
	// this time is over. Files that are closed together have these times
	// together.
	CloseGrace = 700 * time.Millisecond
	stopGrace  = 100 * time.Millisecond
)

// Options set the sizes of the queue and the callbacks.
type Options struct {
	Unit    string // name of the records in errors: "packets"
	Bytes   int    // size of the queue, a power of two
	Records int    // maximum number of records in the queue, a power of two
	// Park runs a wait for room in the queue. Without Park, Add does not wait,
	// and records are lost when the queue is full.
	Park func(wait func())
	// Ended, unless nil, is called once on the Writer's goroutine: with nil
	// when all records are in the file and the file is closed, with the error
	// when writing has failed. It is not called after Close has returned.
	Ended func(err error)
}

// A Writer writes records to a file. Add, Flush and Over belong to the capture
// goroutine. Start, Finish and Close must not run concurrently with Add. Any
// goroutine may call the other methods.
type Writer struct {
	file    *outfile.File
	options Options
	counts  counts
	queue   *queue // of size 0 before Start

	// Of the goroutine that calls Add.
	need int // size of the record that wait waits for
	wait func()

	finish, interrupt sync.Once
	finished          chan struct{} // no more records will be added
	interrupted       chan struct{} // Add must not wait
	stopping          *time.Timer   // stops the file after CloseGrace; set before interrupted is closed
	deadline          time.Time     // of Close; set before interrupted is closed
	done              chan struct{} // the goroutine has ended

	mu        sync.Mutex
	err       error // why writing has ended; set before done is closed
	abandoned bool
}

// New creates a Writer of a file and takes ownership of the file. It does not
// write yet.
func New(file *outfile.File, o Options) *Writer {
	w := &Writer{
		file: file, options: o, queue: newQueue(),
		finished: make(chan struct{}), interrupted: make(chan struct{}), done: make(chan struct{}),
	}
	w.wait = func() { w.queue.waitRoom(w.need, w.interrupted, w.done) }
	return w
}

// Start queues the header, which must fit, and starts the goroutine that
// writes. The goroutine ends after Finish or Close, or when writing fails;
// Close waits for it.
func (w *Writer) Start(head []byte) {
	w.queue.enlarge(w.options.Bytes, w.options.Records)
	w.queue.head(head)
	w.queue.flush()
	go w.run()
}

// Finish says that no more records follow: the rest is written and the file
// closed.
func (w *Writer) Finish() {
	w.finish.Do(func() { close(w.finished) })
}

// Interrupt ends current and future waits of Add, and starts the time limit for
// writing the queued records. Close must follow.
func (w *Writer) Interrupt() {
	w.interrupt.Do(func() {
		w.deadline = time.Now().Add(CloseGrace + stopGrace)
		w.stopping = time.AfterFunc(CloseGrace, w.file.Stop)
		close(w.interrupted)
	})
}

// Close returns when everything is written, or 0.8 s after Interrupt, or 0.8 s
// after the call if there was no Interrupt. It returns the error that ended
// writing, with the number of records lost. It may be called more than once.
func (w *Writer) Close() error {
	w.Finish()
	w.Interrupt()
	defer w.stopping.Stop()
	if w.queue.buf == nil {
		w.file.Discard()
		return nil
	}
	err := w.end()
	if err == nil {
		return nil
	}
	c := w.Counts()
	return fmt.Errorf("%w; %d %s were not written", err, c.Failed+c.Closed, w.options.Unit)
}

// end ends the goroutine, or abandons it.
func (w *Writer) end() error {
	w.await(time.Until(w.deadline))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended() {
		return w.err
	}
	// The goroutine hangs in a system call. It ends after that call and until
	// then uses only fields that belong to it.
	w.abandoned = true
	w.counts.state.CompareAndSwap(running, closed)
	return fmt.Errorf("write %s: %w", w.file.Name(), outfile.ErrStopped)
}

// await waits for the goroutine, at most for d.
func (w *Writer) await(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-w.done:
	case <-timer.C:
	}
}

func (w *Writer) ended() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}
