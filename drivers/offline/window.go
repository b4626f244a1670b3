package offline

import (
	"io"

	"gomapi/drivers"
)

const (
	// windowSize holds the largest usual packet with its headers. It is near
	// the optimum measured: a read is cheapest while it fits the second-level
	// cache.
	windowSize = drivers.MaxSnap + 4<<10
	maxRecord  = 16 << 20 // maximum size of a record or block, as in libpcap's pcapng reader
)

// A window holds the unread part of a stream. The result of unread stays valid
// and in place until the next fill or skip.
type window struct {
	src        io.Reader
	err        error  // that ended src, io.EOF at its regular end
	small      []byte // of windowSize
	buf        []byte // small, or temporarily a larger buffer for one record
	start, end int    // buf[start:end] is unread
	base       int64  // position of buf[0] in the stream
	skipped    int    // skipped bytes of the current record
}

func newWindow(src io.Reader) *window {
	small := make([]byte, windowSize)
	return &window{src: src, small: small, buf: small}
}

func (w *window) unread() []byte { return w.buf[w.start:w.end] }

// advance consumes the first n unread bytes. They end a record, unless n is 0.
func (w *window) advance(n int) {
	if n > 0 {
		w.start += n
		w.skipped = 0
	}
}

// offset is the position of the current record in the stream.
func (w *window) offset() int64 { return w.base + int64(w.start-w.skipped) }

// reached is how many bytes of the stream are known from offset on.
func (w *window) reached() int { return w.skipped + w.end - w.start }

// fill reads until at least need bytes are unread and the window is full. If
// the stream ends earlier, it returns io.EOF between two records,
// io.ErrUnexpectedEOF within a record, or the error of the read. need must not
// exceed maxRecord.
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

// skip skips the next n bytes of the current record, which has more bytes after
// them. It needs no more memory than the window. It has the errors of fill.
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

// moveToFront also frees a larger buffer when its record is consumed.
func (w *window) moveToFront() {
	rest := w.unread()
	w.base += int64(w.start)
	if len(rest) <= windowSize {
		w.buf = w.small
	}
	w.end = copy(w.buf, rest)
	w.start = 0
}

// grow doubles the buffer up to need, so that memory use follows the bytes that
// exist, not the length that a record claims. The larger buffer holds nothing
// beyond the record.
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
