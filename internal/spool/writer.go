// Package spool brings records into files that may be slow.
//
// A Writer has two ends. Add, on the capture goroutine, copies a record into a
// bounded queue; a goroutine of the Writer's own brings the queue into the file,
// in large writes while there is much and within 100 ms while there is little.
// What happens to the file, slow disk or dead reader, is never felt by a live
// capture: records for which there is no room are counted and lost. Every record
// ends in exactly one counter, see Counts. What is in a record is up to the caller.
package spool

import (
	"fmt"
	"sync"
	"time"

	"gomapi/internal/outfile"
)

const (
	writeSize  = 256 << 10 // bytes of one write, and worth a write of their own
	flushEvery = 100 * time.Millisecond

	// CloseGrace is how long a file has to take the rest when it is closed,
	// stopGrace how long a goroutine to notice that it was too slow.
	CloseGrace = 700 * time.Millisecond
	stopGrace  = 100 * time.Millisecond
)

// Options say how much may wait, and who is told what.
type Options struct {
	Unit    string // what a record is, in errors: "packets"
	Bytes   int    // that wait for the file, a power of two
	Records int    // that wait for the file, a power of two
	// Park runs a wait for room in the queue. Without it Add does not wait, and
	// records are lost when the queue is full.
	Park func(wait func())
	// Ended, unless nil, is called once, on the Writer's goroutine: with nil when
	// everything is in the file and the file is closed, with the error when
	// writing has failed. It is not called any more when Close has returned.
	Ended func(err error)
}

// A Writer writes records into a file. Add, Flush and Over belong to the capture
// goroutine; Start, Finish and Close to whoever knows that no Add is under way; the
// rest to anybody.
type Writer struct {
	file    *outfile.File
	options Options
	counts  counts
	queue   *queue // without room before Start

	// Of the goroutine that calls Add.
	need int // bytes that wait waits for
	wait func()

	finish, interrupt sync.Once
	finished          chan struct{} // nothing will be added
	interrupted       chan struct{} // Add must not wait
	deadline          time.Time     // set before interrupted is closed
	done              chan struct{} // the goroutine is gone

	mu        sync.Mutex
	err       error // why writing has ended, set before done is closed
	abandoned bool
}

// New makes a Writer of a file, which it takes over, and does nothing yet.
func New(file *outfile.File, o Options) *Writer {
	w := &Writer{
		file: file, options: o, queue: newQueue(),
		finished: make(chan struct{}), interrupted: make(chan struct{}), done: make(chan struct{}),
	}
	w.wait = func() { w.queue.waitRoom(w.need, w.interrupted, w.done) }
	return w
}

// Start begins the file with a head, for which there is room. The goroutine that
// writes ends after Finish or Close, or when writing fails; Close waits for it.
func (w *Writer) Start(head []byte) {
	w.queue.enlarge(w.options.Bytes, w.options.Records)
	w.queue.head(head)
	w.queue.flush()
	go w.run()
}

// Finish says that no record follows: the rest is written, the file closed.
func (w *Writer) Finish() {
	w.finish.Do(func() { close(w.finished) })
}

// Interrupt ends what Add waits for, now and later, and starts the time that the
// file has to take what is queued. Close follows.
func (w *Writer) Interrupt() {
	w.interrupt.Do(func() {
		w.deadline = time.Now().Add(CloseGrace)
		close(w.interrupted)
	})
}

// Close returns when everything is written, or 0.7 s after Interrupt, or after the
// call without one. It returns the error that has ended writing, and says how many
// records it has cost. Twice is fine.
func (w *Writer) Close() error {
	if w.queue.buf == nil {
		return w.file.Close()
	}
	err := w.end()
	if err == nil {
		return nil
	}
	c := w.Counts()
	return fmt.Errorf("%w; %d %s were not written", err, c.Failed+c.Closed, w.options.Unit)
}

// end ends the goroutine, or leaves it behind.
func (w *Writer) end() error {
	w.Finish()
	w.Interrupt()
	if !w.endsWithin(time.Until(w.deadline)) {
		w.file.Stop()
		w.endsWithin(stopGrace)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended() {
		return w.err
	}
	// The goroutine hangs in a system call. It ends with that and touches
	// nothing but the Writer's own until then.
	w.abandoned = true
	w.counts.state.CompareAndSwap(running, closed)
	return fmt.Errorf("write %s: %w", w.file.Name(), outfile.ErrStopped)
}

func (w *Writer) endsWithin(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-w.done:
		return true
	case <-timer.C:
		return w.ended()
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
