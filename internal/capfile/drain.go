package capfile

import (
	"errors"
	"time"

	"gomapi/internal/outfile"
)

// run is the Writer's goroutine.
func (w *Writer) run() {
	err := w.write()
	if closeErr := w.file.Close(); err == nil {
		err = closeErr // some file systems tell only here that there was no room
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
	w.counts.state.Store(stateAfter(err))
	if !w.abandoned {
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

// write brings the queue into the file until nothing follows.
func (w *Writer) write() error {
	timer := time.NewTimer(flushEvery)
	defer timer.Stop()
	for last := false; !last; {
		if last = w.queue.waitData(1, nil, w.finished); !last {
			timer.Reset(flushEvery)
			last = w.queue.waitData(writeSize, timer.C, w.finished)
		}
		for b := w.queue.chunk(writeSize); len(b) > 0; b = w.queue.chunk(writeSize) {
			n, err := w.file.Write(b)
			if err != nil {
				return err
			}
			w.account(uint64(n))
			w.queue.release(n)
		}
	}
	return nil
}

// account counts the records that end within the next n bytes of the queue.
func (w *Writer) account(n uint64) {
	to, packets := w.queue.consumed.Load()+n, uint64(0)
	for {
		if w.size == 0 {
			if w.edge >= to {
				break
			}
			w.size = recordHead + uint64(w.queue.uint32At(w.edge+captureOffset))
		}
		if w.edge+w.size > to {
			break
		}
		w.edge += w.size
		w.size = 0
		packets++
	}
	w.counts.written.Add(packets)
	w.counts.bytes.Add(n)
}
