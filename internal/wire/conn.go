package wire

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"
)

// Errors of Receive after which the connection is of no more use.
var (
	// ErrTooLong says that a record was over MaxMessage or came with more than
	// MaxFiles descriptors.
	ErrTooLong = errors.New("message or its descriptors exceed the limit")
	// ErrMalformed says that a record was no message.
	ErrMalformed = errors.New("message does not parse")
)

// A Conn sends and receives messages on a SOCK_SEQPACKET socket. One goroutine
// may receive and any number may send at the same time.
type Conn struct {
	sock *net.UnixConn
	in   []byte // owned by the receiver
	oob  []byte

	mu  sync.Mutex // one record at a time; guards out
	out []byte
}

// NewConn takes over sock.
func NewConn(sock *net.UnixConn) *Conn {
	return &Conn{sock: sock, in: make([]byte, MaxMessage+1), oob: make([]byte, unix.CmsgSpace(4*MaxFiles))}
}

// Close ends the connection; a blocked Send or Receive returns net.ErrClosed.
func (c *Conn) Close() error { return c.sock.Close() }

// HungUp reports whether the peer has closed the connection, or this end is
// closed. Records that the peer has sent before may still come.
func (c *Conn) HungUp() bool {
	gone := true
	raw, err := c.sock.SyscallConn()
	if err != nil {
		return gone
	}
	_ = raw.Control(func(fd uintptr) { // not called when this end is closed
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(fds, 0)
		gone = n > 0 && err == nil
	})
	return gone
}

// Send sends m with copies of the descriptors of files. It waits while the
// peer's queue is full.
func (c *Conn) Send(m proto.Message, files ...*os.File) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
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
	if _, _, err = c.sock.WriteMsgUnix(c.out, rights, nil); err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	return nil
}

// Receive waits for the next record and decodes it into m. The caller owns the
// files that came with it, on a nil error only. The error is io.EOF when the
// peer has closed the connection; an empty record counts as that.
func (c *Conn) Receive(m proto.Message) ([]*os.File, error) {
	n, oobn, flags, _, err := c.sock.ReadMsgUnix(c.in, c.oob)
	files := received(c.oob[:oobn])
	switch {
	case err != nil:
	case n > MaxMessage || flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0:
		err = ErrTooLong
	case proto.Unmarshal(c.in[:n], m) != nil:
		err = ErrMalformed
	}
	if err != nil {
		CloseAll(files)
		return nil, err
	}
	return files, nil
}

// received takes the descriptors out of control messages. The runtime had them
// made close-on-exec.
func received(oob []byte) (files []*os.File) {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for i := range msgs {
		fds, err := unix.ParseUnixRights(&msgs[i])
		if err != nil {
			continue // some other kind of control message
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files
}

// CloseAll closes files that nobody wants.
func CloseAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
