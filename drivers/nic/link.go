package nic

import (
	"golang.org/x/sys/unix"

	"gomapi/internal/mapierr"
)

// openLinkEvents opens a socket that is readable after every change of an
// interface (rtnetlink(7)). The packet socket alone does not do: it tells that
// its interface went down, but not that one that is down was deleted.
func openLinkEvents() (int, error) {
	const flags = unix.SOCK_RAW | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	fd, err := unix.Socket(unix.AF_NETLINK, flags, unix.NETLINK_ROUTE)
	if err != nil {
		return -1, err
	}
	links := &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1 << (unix.RTNLGRP_LINK - 1)}
	if err := unix.Bind(fd, links); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// drain takes waiting messages off a socket; that there were some is all that
// counts. What a flood leaves is taken the next time.
func drain(fd int) {
	var buf [4096]byte
	for range 64 {
		if _, err := unix.Read(fd, buf[:]); err == unix.EAGAIN {
			return
		}
	}
}

// checkLink returns an error if the interface is gone: then the kernel sets the
// index of the socket to -1, and no packet will ever come, also if an interface
// of the same name appears. An interface that is down only is waited for.
func (d *device) checkLink() error {
	// Reading clears the error; else poll would return at once for ever.
	if _, err := unix.GetsockoptInt(d.sock, unix.SOL_SOCKET, unix.SO_ERROR); err != nil {
		return mapierr.Wrap(mapierr.NICThread, "interface "+d.name+": read the state of the socket", err)
	}
	addr, err := unix.Getsockname(d.sock)
	if err != nil {
		return mapierr.Wrap(mapierr.NICThread, "interface "+d.name+": read the address of the socket", err)
	}
	if ll, ok := addr.(*unix.SockaddrLinklayer); ok && ll.Ifindex == d.index {
		return nil
	}
	return mapierr.New(mapierr.NICThread,
		"interface %s was deleted or moved to another network namespace; capturing ends", d.name)
}
