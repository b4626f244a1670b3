package wire

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"gomapi/internal/watch"
)

// Errors of Receive after which the connection is unusable.
var (
	// ErrTooLong says that a record exceeded MaxMessage or had more than
	// MaxFiles descriptors.
	ErrTooLong = errors.New("message or its descriptors exceed the limit")
	// ErrMalformed says that a record was not a valid message.
	ErrMalformed = errors.New("message does not parse")
)

// ErrFilesLost says that a record was received and decoded, but the process could not
// take its descriptors.
var ErrFilesLost = errors.New("descriptors were lost: the process has too many open files, raise RLIMIT_NOFILE (ulimit -n)")

// ErrNotNow says that there is no record to receive, or no room to send one,
// without waiting.
var ErrNotNow = errors.New("operation would block")

// A Conn sends and receives messages on a SOCK_SEQPACKET socket. Only one
// goroutine at a time may receive; any number may send.
type Conn struct {
	in  []byte // owned by the receiver
	oob []byte

	sending sync.Mutex // one record at a time; guards out
	out     []byte

	life    sync.RWMutex // read-locked while fd is in use; locked after sending
	fd      int          // non-blocking, see the flags of its calls; -1: closed
	records *watch.Watch
	hangUp  *watch.Watch // nil until first used
	room    *watch.Watch // nil until first used
}

// NewConn takes ownership of sock, unless it fails.
func NewConn(sock *net.UnixConn) (*Conn, error) {
	raw, err := sock.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	if closed := raw.Control(func(s uintptr) {
		fd, err = unix.FcntlInt(s, unix.F_DUPFD_CLOEXEC, 0)
	}); closed != nil {
		return nil, closed
	}
	if err != nil {
		return nil, fmt.Errorf("take over socket: %w", err)
	}
	c := &Conn{fd: fd, in: make([]byte, MaxMessage+1), oob: make([]byte, unix.CmsgSpace(4*MaxFiles))}
	if c.records, err = watch.New(fd, unix.EPOLLIN|unix.EPOLLRDHUP); err != nil {
		unix.Close(fd)
		return nil, err
	}
	sock.Close() // fd is a duplicate, so that this closes nothing else
	return c, nil
}

// Close ends the connection. A blocked Send or Receive returns net.ErrClosed.
// Close may be called more than once.
func (c *Conn) Close() error {
	fd, err := c.end()
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// End is Close for the daemon. It hands the socket over instead of closing it,
// because that may take as long as the peer likes: it also closes the
// descriptors of records that were not received.
func (c *Conn) End(discard func(fd int)) {
	if fd, err := c.end(); err == nil {
		_ = unix.Shutdown(fd, unix.SHUT_RDWR) // the peer learns it now
		discard(fd)
	}
}

// end ends the use of the socket and returns it.
func (c *Conn) end() (fd int, err error) {
	c.life.Lock()
	defer c.life.Unlock()
	if c.fd < 0 {
		return -1, net.ErrClosed
	}
	for _, w := range []*watch.Watch{c.records, c.hangUp, c.room} {
		if w != nil {
			w.Close()
		}
	}
	fd, c.fd = c.fd, -1
	return fd, nil
}

// use makes a system call on the socket and repeats it after EINTR.
func (c *Conn) use(call func(fd int) error) error {
	c.life.RLock()
	defer c.life.RUnlock()
	if c.fd < 0 {
		return net.ErrClosed
	}
	err := call(c.fd)
	for err == unix.EINTR {
		err = call(c.fd)
	}
	if err == unix.EAGAIN {
		return ErrNotNow
	}
	return err
}

// await waits for an event with the watch in w. It creates the watch if needed.
func (c *Conn) await(w **watch.Watch, events uint32) error {
	c.life.Lock()
	if c.fd < 0 {
		c.life.Unlock()
		return net.ErrClosed
	}
	var err error
	if *w == nil {
		*w, err = watch.New(c.fd, events)
	}
	waiting := *w
	c.life.Unlock()
	if err != nil {
		return err
	}
	return waiting.Wait()
}

// Await waits until there is a record to receive, or the peer has closed the
// connection. It may run concurrently with TryReceive, but only once at a time.
func (c *Conn) Await() error { return c.await(&c.records, 0) }

// Mute prevents arriving records from waking Await until Unmute.
func (c *Conn) Mute() { c.records.Disarm() }

// Unmute wakes Await if there is a record.
func (c *Conn) Unmute() { c.records.Arm() }

// AwaitHangUp waits until the peer has closed the connection or this end is
// closed. It ignores records. It may run concurrently with all other calls, but
// only once at a time.
func (c *Conn) AwaitHangUp() error { return c.await(&c.hangUp, unix.EPOLLRDHUP) }

// HungUp reports whether the peer has closed the connection, or this end is
// closed. Records sent before may still arrive.
func (c *Conn) HungUp() bool {
	n := 0
	err := c.use(func(fd int) (err error) {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}, 0)
		return err
	})
	return n > 0 || err != nil
}

// Send sends m and duplicates of the descriptors of files. It waits while the
// peer's queue is full.
func (c *Conn) Send(m proto.Message, files ...*os.File) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	for {
		err := c.send(m, files)
		if err != ErrNotNow {
			return err
		}
		if err := c.await(&c.room, unix.EPOLLOUT); err != nil {
			return fmt.Errorf("send message: %w", err)
		}
	}
}

// TrySend is Send, but returns ErrNotNow instead of waiting.
func (c *Conn) TrySend(m proto.Message, files ...*os.File) error {
	if !c.sending.TryLock() {
		return ErrNotNow
	}
	defer c.sending.Unlock()
	return c.send(m, files)
}

func (c *Conn) send(m proto.Message, files []*os.File) (err error) {
	c.out, err = proto.MarshalOptions{}.MarshalAppend(c.out[:0], m)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	if len(c.out) > MaxMessage || len(files) > MaxFiles {
		return fmt.Errorf("send %d bytes and %d descriptors: %w", len(c.out), len(files), ErrTooLong)
	}
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		rights = unix.UnixRights(fds...)
	}
	err = c.use(func(fd int) error {
		return unix.Sendmsg(fd, c.out, rights, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	})
	if err != nil && err != ErrNotNow {
		return fmt.Errorf("send message: %w", err)
	}
	return err
}

// Receive waits for the next record and decodes it into m. The caller owns the
// descriptors, also after an error. The error is io.EOF if the peer has closed
// the connection; an empty record means the same.
func (c *Conn) Receive(m proto.Message) (Descriptors, error) {
	for {
		if fds, err := c.TryReceive(m); err != ErrNotNow {
			return fds, err
		}
		if err := c.Await(); err != nil {
			return nil, err
		}
	}
}

// TryReceive is Receive, but returns ErrNotNow instead of waiting.
func (c *Conn) TryReceive(m proto.Message) (Descriptors, error) {
	var n, oobn, flags int
	err := c.use(func(fd int) (err error) {
		n, oobn, flags, _, err = unix.Recvmsg(fd, c.in, c.oob, unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
		if err == unix.ECONNRESET {
			// The peer has closed and left something unread. The kernel says so once,
			// before the records that the peer has sent, such as the reason.
			n, oobn, flags, _, err = unix.Recvmsg(fd, c.in, c.oob, unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
		}
		return err
	})
	switch {
	case err == ErrNotNow:
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("receive message: %w", err)
	case n == 0:
		err = io.EOF
	case n > MaxMessage || flags&unix.MSG_TRUNC != 0 || flags&unix.MSG_CTRUNC != 0 && oobn == len(c.oob):
		err = ErrTooLong
	case proto.Unmarshal(c.in[:n], m) != nil:
		err = ErrMalformed
	case flags&unix.MSG_CTRUNC != 0:
		err = ErrFilesLost
	}
	return received(c.oob[:oobn]), err
}
