package foreign

import (
	"context"
	"io"

	"golang.org/x/sys/unix"
)

// A Reader reads a file from its start, at explicit positions: it neither uses nor moves the file
// offset, which others may share. Each read takes a place, so that the files of a user take
// turns. Only one goroutine at a time may use a Reader.
type Reader struct {
	file *File
	ctx  context.Context
	pos  int64
	err  error // of all later reads

	// Of the read under way, which is on a goroutine of its own.
	buf     []byte
	n       int
	readErr error
	read    func()
	done    chan struct{}
}

// NewReader makes a Reader of f, whose waits end with ctx.
func NewReader(ctx context.Context, f *File) *Reader {
	r := &Reader{file: f, ctx: ctx, done: make(chan struct{}, 1)}
	r.read = r.readOnce
	return r
}

// Until makes waits end with ctx from now on.
func (r *Reader) Until(ctx context.Context) { r.ctx = ctx }

// Rewind goes back to the start of the file.
func (r *Reader) Rewind() { r.pos = 0 }

// Read implements io.Reader. When the context ends, it returns the error of that at once, also
// from all later calls. A read that was begun then goes on alone, keeps its place, and b
// belongs to it.
func (r *Reader) Read(b []byte) (int, error) {
	switch {
	case r.err != nil:
		return 0, r.err
	case len(b) == 0:
		return 0, nil
	}
	stop := r.ctx.Done()
	if !r.file.user.reads.take(stop) {
		r.err = r.ctx.Err()
		return 0, r.err
	}
	r.buf = b
	go r.read()
	select {
	case <-r.done:
	case <-stop:
		r.err = r.ctx.Err()
		return 0, r.err
	}
	switch {
	case r.readErr != nil:
		r.err = r.readErr
	case r.n == 0:
		return 0, io.EOF
	}
	r.pos += int64(r.n)
	return r.n, r.err
}

// readOnce is a read on its goroutine.
func (r *Reader) readOnce() {
	r.n, r.readErr = r.file.pread(r.buf, r.pos)
	r.buf = nil
	r.file.user.reads.give()
	r.done <- struct{}{}
}

// pread reads at a position.
func (f *File) pread(b []byte, pos int64) (int, error) {
	if err := f.begin(); err != nil {
		return 0, err
	}
	defer f.finish()
	n, err := unix.Pread(f.fd, b, pos)
	for err == unix.EINTR {
		n, err = unix.Pread(f.fd, b, pos)
	}
	return max(n, 0), err
}
