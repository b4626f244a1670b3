package nic

import (
	"errors"

	"golang.org/x/sys/unix"
)

// permitted returns the permission error that opening a packet socket in the
// thread's network namespace would return, nil if there is none. It opens a raw
// IP socket instead, which needs the same capability (packet(7), raw(7)),
// because closing a packet socket takes the kernel milliseconds.
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

// unprivileged is the error for a missing capability.
func unprivileged(name string, err error) error {
	return openError(name, "capture needs the capability CAP_NET_RAW; run mapid as root, "+
		"or grant it to the program once: setcap cap_net_raw+ep mapid", err)
}
