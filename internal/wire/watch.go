package wire

import (
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A watch waits for one kind of event of a socket. It is a separate epoll
// instance, which the runtime's poller watches. If the poller watched the
// socket itself, each record would wake a thread, even if a goroutine is about
// to receive that record. A watch that is not armed wakes nobody.
type watch struct {
	sock   int
	events uint32
	file   *os.File
	raw    syscall.RawConn
}

// newWatch creates a watch for events of sock (EPOLLIN and the like,
// epoll_ctl(2)). sock must not be closed before the watch.
func newWatch(sock int, events uint32) (*watch, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll descriptor: %w", err)
	}
	if err = unix.SetNonblock(fd, true); err == nil { // otherwise os.File would not poll it
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

// arm makes one event wake the waiter: a pending one or the next.
func (w *watch) arm() { w.set(w.events | unix.EPOLLONESHOT) }

// disarm stops events from waking the waiter.
func (w *watch) disarm() { w.set(0) }

func (w *watch) set(events uint32) {
	_ = w.raw.Control(func(fd uintptr) { // on a closed fd wait returns the error
		_ = unix.EpollCtl(int(fd), unix.EPOLL_CTL_MOD, w.sock, &unix.EpollEvent{Events: events})
	})
}

// wait arms the watch and waits for an event. Only one goroutine at a time may
// wait. The error is net.ErrClosed if the watch is closed.
func (w *watch) wait() error {
	w.arm()
	err := w.raw.Read(func(fd uintptr) bool {
		var events [1]unix.EpollEvent
		n, err := unix.EpollWait(int(fd), events[:], 0)
		return n > 0 && err == nil
	})
	if err != nil { // the only possible cause; os.File's error for it is not exported
		return net.ErrClosed
	}
	return nil
}

func (w *watch) close() { w.file.Close() }
