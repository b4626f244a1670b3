package wire

import (
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A watch waits for one kind of event of a socket. It is an epoll instance of
// its own, for which the poller of the runtime looks out: a socket that the
// poller itself knew would wake a thread with each record, also when a goroutine
// is about to take that. A watch that is not armed wakes nobody.
type watch struct {
	sock   int
	events uint32
	file   *os.File
	raw    syscall.RawConn
}

// newWatch makes a watch for events of sock (EPOLLIN and the like, epoll_ctl(2)),
// which must be closed later than the watch or at once with it.
func newWatch(sock int, events uint32) (*watch, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll descriptor: %w", err)
	}
	if err = unix.SetNonblock(fd, true); err == nil { // or os.File would not poll it
		err = unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, sock, &unix.EpollEvent{})
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("watch socket: %w", err)
	}
	w := &watch{sock: sock, events: events, file: os.NewFile(uintptr(fd), "epoll")}
	if w.raw, err = w.file.SyscallConn(); err != nil {
		w.file.Close()
		return nil, err
	}
	return w, nil
}

// arm makes the next event, or the one that is there, wake who waits. It is for
// one event.
func (w *watch) arm() { w.set(w.events | unix.EPOLLONESHOT) }

// disarm keeps events from waking anybody.
func (w *watch) disarm() { w.set(0) }

func (w *watch) set(events uint32) {
	_ = w.raw.Control(func(fd uintptr) { // else closed, which wait says
		_ = unix.EpollCtl(int(fd), unix.EPOLL_CTL_MOD, w.sock, &unix.EpollEvent{Events: events})
	})
}

// wait arms the watch and waits for an event. One goroutine at a time waits. The
// error is net.ErrClosed when the watch is closed.
func (w *watch) wait() error {
	w.arm()
	err := w.raw.Read(func(fd uintptr) bool {
		var events [1]unix.EpollEvent
		n, err := unix.EpollWait(int(fd), events[:], 0)
		return n > 0 && err == nil
	})
	if err != nil { // nothing else can be; the error of os.File is not a public one
		return net.ErrClosed
	}
	return nil
}

func (w *watch) close() { w.file.Close() }
