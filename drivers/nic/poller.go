package nic

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A poller waits for several descriptors. It is an epoll instance (epoll(7)),
// which the poller of the Go runtime watches. A goroutine that sleeps in a
// system call would keep the runtime's monitor thread awake, which checks such
// goroutines, at first every 20 µs. At some hundred blocks per second this
// costs several times more than handling their packets. Only one goroutine uses
// a poller.
type poller struct {
	file  *os.File
	raw   syscall.RawConn
	until time.Time             // current deadline of file
	look  func(fd uintptr) bool // argument for raw, allocated once
	ready []unix.EpollEvent     // events found by look
	err   error                 // error of look
}

// mostReady is the maximum number of events that a wait returns. It exceeds the
// number of descriptors.
const mostReady = 4

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // required for the runtime's poller
		unix.Close(fd)
		return nil, fmt.Errorf("epoll descriptor: %w", err)
	}
	p := &poller{file: os.NewFile(uintptr(fd), "epoll")}
	events := make([]unix.EpollEvent, mostReady)
	p.look = func(fd uintptr) bool {
		var n int
		n, p.err = epollReady(int(fd), events)
		p.ready = events[:n]
		return n > 0 || p.err != nil
	}
	if p.raw, err = p.file.SyscallConn(); err != nil {
		p.file.Close()
		return nil, err
	}
	return p, nil
}

// add adds fd, until fd is closed: waits end while fd is readable. On a nil
// poller it does nothing.
func (p *poller) add(fd int) error {
	if p == nil {
		return nil
	}
	err := p.raw.Control(func(epoll uintptr) {
		p.err = unix.EpollCtl(int(epoll), unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
	})
	if err == nil {
		err = os.NewSyscallError("epoll_ctl", p.err)
	}
	return err
}

// wait returns the descriptors that are readable or broken, as soon as there
// are any, or none at the given time; the zero time means no deadline. They are
// valid until the next call.
func (p *poller) wait(until time.Time) ([]unix.EpollEvent, error) {
	if until != p.until {
		if err := p.file.SetReadDeadline(until); err != nil {
			return nil, err
		}
		p.until = until
	}
	p.ready = nil
	err := p.raw.Read(p.look)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, nil
	}
	return p.ready, errors.Join(err, p.err)
}

// close closes the poller, but not its descriptors. On a nil poller it does
// nothing.
func (p *poller) close() {
	if p != nil {
		p.file.Close()
	}
}
