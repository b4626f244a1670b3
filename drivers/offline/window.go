package offline

import (
	"io"

	"gomapi/drivers"
)

const (
	// windowSize holds the largest usual packet with its heads. Measured best
	// about there: a read costs least while it fits the second-level cache.
	windowSize = drivers.MaxSnap + 4<<10
	maxRecord  = 16 << 20 // longest record or block taken, as in libpcap's pcapng reader
)

// A window shows the unread part of a stream. What unread returned stays valid
// and in place until the next fill or skip.
type window struct {
	src        io.Reader
	err        error  // what ended src, io.EOF at its regular end
	small      []byte // of windowSize
	buf        []byte // small, or larger for the time of one record
	start, end int    // buf[start:end] is unread
	base       int64  // position of buf[0] in the stream
	skipped    int    // bytes of the record under way that are passed over
}

func newWindow(src io.Reader) *window {
	small := make([]byte, windowSize)
	return &window{src: src, small: small, buf: small}
}

func (w *window) unread() []byte { return w.buf[w.start:w.end] }

// advance gives up the first n unread bytes, which end a record unless n is 0.
func (w *window) advance(n int) {
	if n > 0 {
		w.start += n
		w.skipped = 0
	}
}

// offset is the position in the stream of the record under way.
func (w *window) offset() int64 { return w.base + int64(w.start-w.skipped) }

// reached is how many bytes of the stream are known from offset on.
func (w *window) reached() int { return w.skipped + w.end - w.start }

// fill reads on until at least need bytes are unread and the window is full.
// When the stream ends before that it returns io.EOF if it ends between two
// records, io.ErrUnexpectedEOF if within one, or the error of the read.
// The caller bounds need by maxRecord.
func (w *window) fill(need int) error {
	w.moveToFront()
	w.read()
	for w.end < need && w.err == nil {
		w.grow(need)
		w.read()
	}
	switch {
	case w.end >= need:
		return nil
	case w.err == io.EOF && w.reached() > 0:
		return io.ErrUnexpectedEOF
	}
	return w.err
}

// skip passes over the next n bytes of the record under way, of which more
// comes. It holds no more of them than the window has. Errors are as with fill.
func (w *window) skip(n int) error {
	for {
		here := min(n, w.end-w.start)
		w.start += here
		w.skipped += here
		n -= here
		if n == 0 {
			return nil
		}
		if err := w.fill(1); err != nil {
			return err
		}
	}
}

// moveToFront also gives a larger buffer up once its record is done with.
func (w *window) moveToFront() {
	rest := w.unread()
	w.base += int64(w.start)
	if len(rest) <= windowSize {
		w.buf = w.small
	}
	w.end = copy(w.buf, rest)
	w.start = 0
}

// grow doubles the buffer up to need, so that memory follows the bytes that are
// there and not the length that a record claims, and nothing beyond the record
// comes into the larger buffer.
func (w *window) grow(need int) {
	bigger := make([]byte, min(2*len(w.buf), need))
	copy(bigger, w.buf[:w.end])
	w.buf = bigger
}

func (w *window) read() {
	for w.end < len(w.buf) && w.err == nil {
		var n int
		n, w.err = w.src.Read(w.buf[w.end:])
		w.end += n
	}
}
