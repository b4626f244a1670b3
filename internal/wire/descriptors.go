package wire

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Descriptors came with a record.
type Descriptors []int

// received extracts the descriptors from control messages.
func received(oob []byte) (fds Descriptors) {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for i := range msgs {
		rights, err := unix.ParseUnixRights(&msgs[i])
		if err != nil {
			continue // a control message of another kind
		}
		fds = append(fds, rights...)
	}
	return fds
}

// Files makes files of descriptors that a daemon has sent, which the caller trusts. A daemon does
// not use it: what it receives may make the runtime's poller wait, or close(2).
func (d Descriptors) Files() (files []*os.File) {
	for _, fd := range d {
		files = append(files, os.NewFile(uintptr(fd), "received"))
	}
	return files
}

// CloseAll closes unused files.
func CloseAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// RefuseDescriptors makes the kernel refuse descriptors that peers send over connections that a
// listener accepts (SO_PASSRIGHTS), until Conn.AcceptDescriptors. So the daemon can close a
// connection before it knows the user: nothing waits in it whose closing takes long. Before
// Linux 6.16 it has no effect.
func RefuseDescriptors(l *net.UnixListener) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSRIGHTS, 0) })
}

// AcceptDescriptors lets the peer send descriptors; see RefuseDescriptors.
func (c *Conn) AcceptDescriptors() {
	_ = c.use(func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSRIGHTS, 1) })
}
