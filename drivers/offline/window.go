package offline

import "io"

const (
	windowSize = 256 << 10 // measured best: a read costs least while it fits the second-level cache
	maxRecord  = 16 << 20  // longest record or block taken, as in libpcap's pcapng reader
)

// A window shows the unread part of a stream. What unread returned stays valid
// and in place until the next fill.
type window struct {
	src        io.Reader
	err        error // what ended src, io.EOF at its regular end
	buf        []byte
	start, end int   // buf[start:end] is unread
	base       int64 // position of buf[0] in the stream
}

func newWindow(src io.Reader) *window {
	return &window{src: src, buf: make([]byte, windowSize)}
}

func (w *window) unread() []byte { return w.buf[w.start:w.end] }

// advance gives up the first n unread bytes.
func (w *window) advance(n int) { w.start += n }

// offset is the position of the first unread byte in the stream.
func (w *window) offset() int64 { return w.base + int64(w.start) }

// fill reads on until at least need bytes are unread and the buffer is full.
// When the stream ends before that it returns io.EOF if nothing is unread,
// io.ErrUnexpectedEOF if the end is within a record, or the error of the read.
// The caller bounds need by maxRecord.
func (w *window) fill(need int) error {
	w.moveToFront()
	w.read()
	for w.end < need && w.err == nil {
		w.grow()
		w.read()
	}
	switch {
	case w.end >= need:
		return nil
	case w.err == io.EOF && w.end > 0:
		return io.ErrUnexpectedEOF
	}
	return w.err
}

func (w *window) moveToFront() {
	w.base += int64(w.start)
	w.end = copy(w.buf, w.buf[w.start:w.end])
	w.start = 0
}

// grow doubles the buffer, so that memory follows the bytes that are there and
// not the length that a record claims.
func (w *window) grow() {
	bigger := make([]byte, 2*len(w.buf))
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
