package principal

import (
	"io/fs"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ioctl is ioctl(2) with a number as argument.
func ioctl(fd int, request uint, arg uintptr) (int, error) {
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), arg)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// ioctlWord is ioctl(2) that stores a word.
func ioctlWord(fd int, request uint, word *uint32) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(unsafe.Pointer(word)))
	if errno != 0 {
		return errno
	}
	return nil
}

// getsockopt is getsockopt(2) at the level of sockets for a list of words, which is not empty.
// It returns the size in bytes, also with ERANGE.
func getsockopt(fd, option int, list []uint32) (size int, err error) {
	n := uint32(4 * len(list))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, uintptr(option),
		uintptr(unsafe.Pointer(&list[0])), uintptr(unsafe.Pointer(&n)), 0)
	if errno != 0 {
		return int(n), errno
	}
	return int(n), nil
}

// statUID returns the owner of a file.
func statUID(st fs.FileInfo) uint32 { return st.Sys().(*syscall.Stat_t).Uid }
