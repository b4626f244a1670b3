package nic

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// epollReady writes ready descriptors to events without waiting and returns
// their number. It is a raw system call: one that the runtime knows about would
// wake its monitor thread.
func epollReady(epoll int, events []unix.EpollEvent) (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT,
		uintptr(epoll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	switch errno {
	case 0:
		return int(n), nil
	case unix.EINTR:
		return 0, nil
	}
	return 0, errno
}
