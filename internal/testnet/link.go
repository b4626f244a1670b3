package testnet

import (
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Up brings interfaces up and waits until they pass packets. An end of the pair
// works only while both are up: until the kernel has activated its queue, sent
// frames are dropped without an error.
func (ns *NS) Up(names ...string) {
	ns.t.Helper()
	for _, name := range names {
		if err := netlink.LinkSetUp(ns.link(name)); err != nil {
			ns.t.Fatalf("bring %s up: %v", name, err)
		}
	}
	for _, name := range names {
		ns.Await(name, func(a *netlink.LinkAttrs) bool { return a.OperState == netlink.OperUp })
	}
}

// Await waits until is returns true for an interface. It checks after every
// change of an interface.
func (ns *NS) Await(name string, is func(a *netlink.LinkAttrs) bool) {
	ns.t.Helper()
	events := ns.linkEvents()
	defer unix.Close(events)
	deadline := time.Now().Add(Patience)
	for !is(ns.link(name).Attrs()) {
		ns.awaitEvent(events, deadline)
	}
}

// AwaitCapture waits until a program captures on an interface: the sign is
// promiscuous mode, which the drivers set.
func (ns *NS) AwaitCapture(name string) {
	ns.t.Helper()
	ns.Await(name, func(a *netlink.LinkAttrs) bool { return a.Promisc > 0 })
}

// Down takes an interface down.
func (ns *NS) Down(name string) {
	ns.t.Helper()
	if err := netlink.LinkSetDown(ns.link(name)); err != nil {
		ns.t.Fatalf("take %s down: %v", name, err)
	}
}

// Rename renames an interface like scripts do: down, rename, up.
func (ns *NS) Rename(name, to string) {
	ns.t.Helper()
	ns.Down(name)
	if err := netlink.LinkSetName(ns.link(name), to); err != nil {
		ns.t.Fatalf("rename %s to %s: %v", name, to, err)
	}
	ns.Up(to)
}

// Delete removes an interface. For the pair it removes both ends.
func (ns *NS) Delete(name string) {
	ns.t.Helper()
	if err := netlink.LinkDel(ns.link(name)); err != nil {
		ns.t.Fatalf("delete %s: %v", name, err)
	}
}

// SetMTU sets the MTU of both ends of the pair, in bytes without the Ethernet
// header.
func (ns *NS) SetMTU(mtu int) {
	ns.t.Helper()
	for _, name := range []string{A, B} {
		if err := netlink.LinkSetMTU(ns.link(name), mtu); err != nil {
			ns.t.Fatalf("set the MTU of %s to %d: %v", name, mtu, err)
		}
	}
}

// Counters returns the kernel's counters of an interface: an independent count
// of its packets.
func (ns *NS) Counters(name string) netlink.LinkStatistics {
	ns.t.Helper()
	return *ns.link(name).Attrs().Statistics
}

func (ns *NS) link(name string) netlink.Link {
	ns.t.Helper()
	l, err := netlink.LinkByName(name)
	if err != nil {
		ns.t.Fatalf("look up interface %s: %v", name, err)
	}
	return l
}

// linkEvents opens a socket that becomes readable at every change of an
// interface (rtnetlink(7)).
func (ns *NS) linkEvents() int {
	ns.t.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		ns.t.Fatalf("open a netlink socket: %v", err)
	}
	group := &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1 << (unix.RTNLGRP_LINK - 1)}
	if err := unix.Bind(fd, group); err != nil {
		unix.Close(fd)
		ns.t.Fatalf("subscribe to link events: %v", err)
	}
	return fd
}

// awaitEvent reads one event. At the deadline it fails the test.
func (ns *NS) awaitEvent(events int, deadline time.Time) {
	ns.t.Helper()
	fds := []unix.PollFd{{Fd: int32(events), Events: unix.POLLIN}}
	for {
		left := time.Until(deadline).Milliseconds()
		if left <= 0 {
			ns.t.Fatalf("the interfaces did not reach the state that the test waits for")
		}
		n, err := unix.Poll(fds, int(left))
		if err != nil && err != unix.EINTR {
			ns.t.Fatalf("wait for link events: %v", err)
		}
		if n > 0 {
			break
		}
	}
	var buf [4096]byte
	if _, err := unix.Read(events, buf[:]); err != nil && err != unix.ENOBUFS {
		ns.t.Fatalf("read a link event: %v", err)
	}
}
