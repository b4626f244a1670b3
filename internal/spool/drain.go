package spool

import (
	"errors"
	"time"

	"gomapi/internal/outfile"
)

// run is the Writer's goroutine.
func (w *Writer) run() {
	err := w.write()
	if closeErr := w.file.Close(); err == nil {
		err = closeErr // some file systems report a full disk only here
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
	w.counts.state.Store(stateAfter(err))
	if !w.abandoned && w.options.Ended != nil {
		w.options.Ended(err)
	}
	close(w.done)
}

func stateAfter(err error) int32 {
	switch {
	case err == nil:
		return complete
	case errors.Is(err, outfile.ErrStopped):
		return closed
	}
	return failed
}

// write writes the queue to the file until no more records follow.
func (w *Writer) write() error {
	size := min(writeSize, len(w.queue.buf)/2)
	timer := time.NewTimer(flushEvery)
	defer timer.Stop()
	for last := false; !last; {
		if last = w.queue.waitData(1, nil, w.finished); !last {
			timer.Reset(flushEvery)
			last = w.queue.waitData(uint64(size), timer.C, w.finished)
		}
		for b := w.queue.chunk(size); len(b) > 0; b = w.queue.chunk(size) {
			n, err := w.file.Write(b)
			if err != nil {
				return err
			}
			w.counts.taking.Lock()
			w.counts.bytes.Add(uint64(n))
			w.counts.written.Add(w.queue.release(n))
			w.counts.taking.Unlock()
		}
	}
	return nil
}
