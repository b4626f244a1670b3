package nic

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A poller waits for several descriptors. It is an epoll instance (epoll(7)), for
// which the poller of the Go runtime looks out. A goroutine that slept in a system
// call instead would keep the monitor of the runtime awake, which looks after those
// every 20 µs at first: at some hundred blocks a second that costs several times what
// their packets do. One goroutine uses a poller.
type poller struct {
	file  *os.File
	raw   syscall.RawConn
	until time.Time             // the deadline of file
	look  func(fd uintptr) bool // for raw, made once
	ready []unix.EpollEvent     // what look has found
	err   error                 // that look met
}

// mostReady is how many events a wait returns: more than there are descriptors.
const mostReady = 4

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // or the runtime would not look out for it
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

// add makes waits end while fd is readable, until it is closed. A nil poller has
// nobody who waits.
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

// wait returns the descriptors that are readable or broken when there are any, none
// when the time has come; the zero time does not. They are valid until the next call.
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

// close ends the poller, not what it waits for. A nil poller is closed.
func (p *poller) close() {
	if p != nil {
		p.file.Close()
	}
}
