// Package outfile writes to files that programs have opened and passed to the
// daemon: regular files, pipes, stream sockets, character devices.
//
// The other end belongs to somebody else, who may read slowly, never, or with
// malicious intent. The program shares the status flags (O_NONBLOCK), so they
// can neither be relied on nor changed. Writes to pipes and sockets therefore
// use calls that never block, whatever the flags; Stop ends a Write that waits
// for them. On other files write(2) may hang, for instance on a file system
// that the program itself serves. The caller therefore writes on a goroutine
// that it can abandon, and a Budget limits the number of these.
package outfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// ErrStopped ends a Write that waits when Stop is called.
var ErrStopped = errors.New("the reader does not accept the data")

// maxTries is how often in a row a file may report that it is ready and then
// accept nothing. Only a malicious file system does this.
const maxTries = 1000

// A File is open for writing. Only one goroutine at a time may call Write and
// Close; any may call Stop.
type File struct {
	file   *os.File
	name   string
	budget *Budget
	fd     int
	try    func(b []byte) (int, error) // writes without blocking, as far as the kind of file allows
	pipe   *relay                      // for a pipe, else nil
	stop   *os.File                    // eventfd that ends a wait
	polled [2]unix.PollFd              // the file and stop
}

// Open takes ownership of f, which was opened for writing, unless it fails. The
// name is for people. Open rejects files that are not byte streams, and fails
// if the budget is used up.
func Open(f *os.File, name string, budget *Budget) (_ *File, err error) {
	o := &File{file: f, name: name, budget: budget, fd: descriptor(f)}
	if err := writable(o.fd); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := budget.take(); err != nil {
		return nil, err
	}
	if err := o.prepare(); err != nil {
		o.release()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return o, nil
}

// prepare selects the way to write and creates what it needs.
func (f *File) prepare() error {
	var st unix.Stat_t
	if err := unix.Fstat(f.fd, &st); err != nil {
		return err
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG, unix.S_IFCHR:
		f.try = func(b []byte) (int, error) { return unix.Write(f.fd, b) }
	case unix.S_IFIFO:
		relay, err := newRelay()
		if err != nil {
			return fmt.Errorf("create a pipe: %w", err)
		}
		f.pipe = relay
		f.try = func(b []byte) (int, error) { return relay.write(f.fd, b) }
	case unix.S_IFSOCK:
		if kind, err := unix.GetsockoptInt(f.fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil || kind != unix.SOCK_STREAM {
			return errors.New("not a stream socket")
		}
		f.try = f.send
	default:
		return errors.New("neither a regular file nor a pipe, stream socket or character device")
	}
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return fmt.Errorf("create an eventfd: %w", err)
	}
	f.stop = os.NewFile(uintptr(stop), "stop")
	f.polled = [2]unix.PollFd{{Fd: int32(f.fd), Events: unix.POLLOUT}, {Fd: int32(stop), Events: unix.POLLIN}}
	return nil
}

// descriptor is f.Fd without its side effect, which may change the status
// flags.
func descriptor(f *os.File) int {
	n := -1
	if conn, err := f.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { n = int(fd) }) // a closed file causes an error when it is used
	}
	return n
}

// writable reports whether the descriptor was opened for writing.
func writable(fd int) error {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return err
	}
	if flags&unix.O_PATH != 0 || flags&unix.O_ACCMODE == unix.O_RDONLY {
		return errors.New("not opened for writing")
	}
	return nil
}

func (f *File) send(b []byte) (int, error) {
	return unix.SendmsgN(f.fd, b, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

// Name is the name given to Open.
func (f *File) Name() string { return f.name }

// Write writes at least one byte of b, which is not empty, and returns how
// many. After an error the next Write continues where the last one ended.
func (f *File) Write(b []byte) (int, error) {
	for range maxTries {
		n, err := f.try(b)
		switch {
		case n > 0:
			return n, nil
		case err == nil:
			return 0, fmt.Errorf("write %s: %w", f.name, io.ErrShortWrite)
		case err == unix.EINTR:
			continue
		case err != unix.EAGAIN:
			return 0, fmt.Errorf("write %s: %w", f.name, err)
		}
		if err := f.await(); err != nil {
			return 0, fmt.Errorf("write %s: %w", f.name, err)
		}
	}
	return 0, fmt.Errorf("write %s: %w", f.name, unix.EAGAIN)
}

// await waits until the file may accept bytes or has failed.
func (f *File) await() error {
	for {
		_, err := unix.Poll(f.polled[:], -1)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		case f.polled[1].Revents != 0:
			return ErrStopped
		}
		return nil
	}
}

// Stop ends a Write that waits for a pipe or socket, and every later one that
// would wait. After Close it does nothing.
func (f *File) Stop() {
	_, _ = f.stop.Write(binary.NativeEndian.AppendUint64(nil, 1)) // fails only after Close
}

// Close closes the file and returns its place in the budget.
func (f *File) Close() error {
	err := f.file.Close()
	f.release()
	if err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("close %s: %w", f.name, err)
	}
	return nil
}

// release releases the resources of prepare and the budget, once.
func (f *File) release() {
	if f.pipe != nil {
		f.pipe.close()
		f.pipe = nil
	}
	if f.stop != nil {
		_ = f.stop.Close() // closing an eventfd cannot lose data
	}
	if f.budget != nil {
		f.budget.give()
		f.budget = nil
	}
}
