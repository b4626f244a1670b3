// Package outfile writes to files that programs have opened and passed to the
// daemon: regular files, pipes, stream sockets, and the devices null, zero and
// full.
//
// The other end belongs to somebody else, who may read slowly, never, or with
// malicious intent. The program shares the status flags (O_NONBLOCK), so they
// can neither be relied on nor changed. Writes to pipes and sockets therefore
// use calls that do not wait for a reader, whatever the flags; the wait itself
// needs no thread, and Stop ends it. On other files write(2) may hang, for
// instance on a file system that the program itself serves. The caller
// therefore writes on a goroutine that it can abandon, and package foreign
// limits the number of calls that hang.
package outfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sys/unix"

	"gomapi/internal/account"
	"gomapi/internal/foreign"
	"gomapi/internal/watch"
)

// ErrStopped ends a Write that waits when Stop is called.
var ErrStopped = errors.New("the reader does not accept the data")

// maxTries is how often in a row a file may report that it is ready and then
// accept nothing. Only a malicious peer does this.
const maxTries = 1000

// streamDescriptors is how many descriptors a pipe or socket takes here.
const streamDescriptors = 3

// A File is open for writing. Only one goroutine at a time may call Write and
// Close; any may call Stop and Discard.
type File struct {
	file  *foreign.File
	try   func(fd int, b []byte) (int, error) // writes without waiting for a reader
	plain bool                                // a regular file or a device: writing has the rights of the client
	pipe  *relay                              // for a pipe, else nil
	room  *watch.Watch                        // of a pipe or socket, else nil

	stop    sync.Once
	stopped chan struct{}
}

// Open takes ownership of f, unless it fails. It rejects files to which the
// client could not write, or that are not byte streams, and fails if the user
// writes too many files; memory is charged to the user until f is closed and
// nothing uses it any more. The wait for a file that hangs ends with ctx.
func Open(ctx context.Context, f *foreign.File, memory int) (*File, error) {
	kind, err := f.Output(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	taken := account.Sum{account.WrittenFiles: 1, account.Memory: int64(memory)}
	if kind == unix.S_IFIFO || kind == unix.S_IFSOCK {
		taken[account.Descriptors] = streamDescriptors
	}
	if err := f.Charge(taken); err != nil {
		return nil, err
	}
	o := &File{file: f, stopped: make(chan struct{})}
	if err := o.prepare(kind); err != nil {
		o.release()
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return o, nil
}

// prepare selects the way to write and creates what it needs.
func (f *File) prepare(kind uint32) (err error) {
	switch kind {
	case unix.S_IFIFO:
		if f.pipe, err = newRelay(); err != nil {
			return fmt.Errorf("create a pipe: %w", err)
		}
		f.try = f.pipe.write
	case unix.S_IFSOCK:
		f.try = sender(f.file.Rights())
	default:
		f.plain, f.try = true, unix.Write
		return nil
	}
	return f.file.Use(func(fd int) error {
		f.room, err = watch.New(fd, unix.EPOLLOUT)
		return err
	})
}

// Name is the name of the file for people.
func (f *File) Name() string { return f.file.Name() }

// Write writes at least one byte of b, which is not empty, and returns how
// many. After an error the next Write continues where the last one ended.
func (f *File) Write(b []byte) (int, error) {
	n, err := f.write(b)
	if err != nil {
		err = fmt.Errorf("write %s: %w", f.Name(), err)
	}
	return n, err
}

func (f *File) write(b []byte) (n int, err error) {
	for range maxTries {
		if f.isStopped() {
			return 0, ErrStopped
		}
		began, err := f.file.Write(f.stopped, f.plain, func(fd int) (err error) {
			n, err = f.try(fd, b)
			return err
		})
		switch {
		case !began:
			return 0, ErrStopped
		case err == nil && n > 0:
			return n, nil
		case err == nil:
			return 0, io.ErrShortWrite
		case err == unix.EINTR:
			continue
		case err != unix.EAGAIN || f.room == nil: // a plain file cannot say when it is ready
			return 0, err
		}
		if f.room.Wait() != nil {
			return 0, ErrStopped
		}
	}
	return 0, unix.EAGAIN
}

func (f *File) isStopped() bool {
	select {
	case <-f.stopped:
		return true
	default:
		return false
	}
}

// Stop ends a Write that waits, and every later one.
func (f *File) Stop() {
	f.stop.Do(func() {
		close(f.stopped)
		if f.room != nil {
			f.room.Close()
		}
	})
}

// Close closes the file and returns the error with which it has lost data. It
// may take as long as Write.
func (f *File) Close() error {
	f.release()
	if err := f.file.Finish(f.stopped); err != nil {
		return fmt.Errorf("close %s: %w", f.Name(), err)
	}
	return nil
}

// Discard closes a file to which nothing was written. It does not wait.
func (f *File) Discard() {
	f.release()
	f.file.Close()
}

// release releases the resources of prepare.
func (f *File) release() {
	if f.pipe != nil {
		f.pipe.close()
		f.pipe = nil
	}
	if f.room != nil {
		f.room.Close()
	}
}
