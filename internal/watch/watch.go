// Package watch waits for events of sockets and pipes without a thread, and without changing
// their flags, which other processes share.
package watch

import (
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Watch waits for one kind of event of a descriptor. It is a separate epoll
// instance, which the runtime's poller watches. If the poller watched a
// socket itself, each record would wake a thread, even if a goroutine is about
// to receive that record. A Watch that is not armed wakes nobody.
type Watch struct {
	of     int
	events uint32
	file   *os.File
	raw    syscall.RawConn
}

// New creates a Watch for events of a socket or pipe (EPOLLIN and the like,
// epoll_ctl(2)), which must not be closed before the Watch.
func New(of int, events uint32) (*Watch, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll descriptor: %w", err)
	}
	if err = unix.SetNonblock(fd, true); err == nil { // otherwise os.File would not poll it
		err = unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, of, &unix.EpollEvent{})
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("watch a descriptor: %w", err)
	}
	w := &Watch{of: of, events: events, file: os.NewFile(uintptr(fd), "epoll")}
	if w.raw, err = w.file.SyscallConn(); err != nil {
		w.file.Close()
		return nil, err
	}
	return w, nil
}

// Arm makes one event wake the waiter: a pending one or the next.
func (w *Watch) Arm() { w.set(w.events | unix.EPOLLONESHOT) }

// Disarm stops events from waking the waiter.
func (w *Watch) Disarm() { w.set(0) }

func (w *Watch) set(events uint32) {
	_ = w.raw.Control(func(fd uintptr) { // on a closed fd Wait returns the error
		_ = unix.EpollCtl(int(fd), unix.EPOLL_CTL_MOD, w.of, &unix.EpollEvent{Events: events})
	})
}

// Wait arms the Watch and waits for an event. Only one goroutine at a time may
// wait. The error is net.ErrClosed if the Watch is closed.
func (w *Watch) Wait() error {
	w.Arm()
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

// Close ends the Watch and its wait. It may be called more than once.
func (w *Watch) Close() { w.file.Close() }
