package foreign

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A Reader reads a file from its start, at explicit positions: it neither uses nor moves the file
// offset, which others may share. Each read takes a place, so that the files of a user take
// turns. Its reads belong to Attend.
type Reader struct {
	file  *File
	ctx   context.Context
	pos   int64
	err   error // of all later reads
	state atomic.Int32
}

// States of the work that reads.
const (
	working int32 = iota
	reading       // waits for a place, or for the file
	left          // nobody waits for the work any more
)

// NewReader makes a Reader of f.
func NewReader(f *File) *Reader { return &Reader{file: f} }

// Attend calls work, which reads, and waits for it. When ctx ends, work gets the error of ctx from
// its next read. If it is in a read, Attend leaves it behind and returns false at once: work
// then goes on alone when the read returns, with this error, and keeps its place and its memory
// until then. A panic of work is passed on. The goroutine of work stays on its processor when it
// reads, which a goroutine for each read would not.
func (r *Reader) Attend(ctx context.Context, work func()) bool {
	r.ctx = ctx
	done := make(chan any, 1)
	go func() {
		defer func() {
			p := recover()
			if p != nil {
				p = fmt.Sprintf("%v\n%s", p, debug.Stack())
			}
			done <- p
		}()
		work()
	}()
	var p any
	select {
	case p = <-done:
	case <-ctx.Done():
		if r.state.CompareAndSwap(reading, left) {
			return false
		}
		p = <-done // it sees the end of ctx before the next read
	}
	if p != nil {
		panic(p)
	}
	return true
}

// Rewind goes back to the start of the file.
func (r *Reader) Rewind() { r.pos = 0 }

// Read implements io.Reader, for the work of Attend.
func (r *Reader) Read(b []byte) (int, error) {
	switch {
	case r.err != nil:
		return 0, r.err
	case len(b) == 0:
		return 0, nil
	}
	n, err := r.read(b)
	switch {
	case err != nil:
		r.err = err
	case n == 0:
		err = io.EOF
	}
	r.pos += int64(n)
	return n, err
}

func (r *Reader) read(b []byte) (n int, err error) {
	r.state.Store(reading)
	if r.ctx.Err() != nil || !r.file.user.reads.take(r.ctx.Done()) { // after the state was set: see Attend
		r.state.CompareAndSwap(reading, working)
		return 0, r.ctx.Err()
	}
	n, err = r.file.pread(b, r.pos)
	r.file.user.reads.give()
	if !r.state.CompareAndSwap(reading, working) {
		return 0, r.ctx.Err()
	}
	return n, err
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
