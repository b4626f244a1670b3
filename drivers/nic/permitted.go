package nic

import (
	"errors"

	"golang.org/x/sys/unix"
)

// permitted returns the error that opening a packet socket in the thread's network
// namespace would give for want of a right, nil when it would give none. It opens a raw
// socket of IP, which needs the same right (packet(7), raw(7)): to close a packet socket
// takes the kernel milliseconds.
func permitted(name string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return unprivileged(name, err)
	case err == nil:
		unix.Close(fd)
	}
	return nil
}

// unprivileged is the error for want of the right to capture.
func unprivileged(name string, err error) error {
	return openError(name, "capturing needs the capability CAP_NET_RAW; run mapid as root, "+
		"or give it to the program once: setcap cap_net_raw,cap_net_admin+ep mapid", err)
}
