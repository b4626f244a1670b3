package nic

import (
	"errors"

	"golang.org/x/sys/unix"
)

// A control is an rtnetlink socket (rtnetlink(7)). It becomes readable after
// every change of an interface, and serves for queries about interfaces
// (netdevice(7)). Both apply to the network namespace in which it was opened.
type control int

func openControl() (control, error) {
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
	return control(fd), nil
}

func (c *control) close() { closeFD((*int)(c)) }

// drain discards waiting messages; only their arrival matters. In a flood it
// leaves the rest for the next call.
func (c control) drain() {
	var buf [4096]byte
	for range 64 {
		if _, err := unix.Read(int(c), buf[:]); err == unix.EAGAIN {
			return
		}
	}
}

// ask sends a query about an interface.
func (c control) ask(name string, request uint) (*unix.Ifreq, error) {
	req, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	return req, unix.IoctlIfreq(int(c), request, req)
}

// index returns the index of the interface with this name or alternative name,
// or an error if there is none. The name fits an ioctl.
func (c control) index(name string) (int, error) {
	req, err := c.ask(name, unix.SIOCGIFINDEX)
	if err != nil {
		return 0, err
	}
	return int(req.Uint32()), nil
}

// name returns the current name of the interface with this index, "" if it is
// gone.
func (c control) name(index int) string {
	req, err := unix.NewIfreq("")
	if err != nil {
		return ""
	}
	req.SetUint32(uint32(index))
	if unix.IoctlIfreq(int(c), unix.SIOCGIFNAME, req) != nil {
		return ""
	}
	return req.Name()
}

// A nic describes an interface before it is opened.
type nic struct {
	name  string // primary name
	index int    // 0: all interfaces
	link  linkType
	mtu   int // bytes, without link header
}

// describe returns the description of the interface with this index.
func (c control) describe(index int) (nic, error) {
	name := c.name(index)
	hardware, err1 := c.ask(name, unix.SIOCGIFHWADDR)
	mtu, err2 := c.ask(name, unix.SIOCGIFMTU)
	if err := errors.Join(err1, err2); err != nil {
		return nic{}, openError(name, "read its link type and MTU", err)
	}
	// The answer is a struct sockaddr, which starts with the ARPHRD number.
	return nic{name, index, linkTypeOf(hardware.Uint16()), int(mtu.Uint32())}, nil
}

// isUp reports whether an interface is up.
func (c control) isUp(name string) bool {
	flags, err := c.ask(name, unix.SIOCGIFFLAGS)
	return err == nil && flags.Uint16()&unix.IFF_UP != 0
}

// merging returns the enabled settings that make the card merge packets
// (ethtool(8)), "" if there are none.
func (c control) merging(name string) (on string) {
	const lro = 1 << 15 // ETH_FLAG_LRO, linux/ethtool.h
	if v, err := ethtool(int(c), name, unix.ETHTOOL_GGRO); err == nil && v != 0 {
		on += " gro off"
	}
	if v, err := ethtool(int(c), name, unix.ETHTOOL_GFLAGS); err == nil && v&lro != 0 {
		on += " lro off"
	}
	return on
}
