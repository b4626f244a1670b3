package testnet

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batch is the memory for one sendmmsg call.
type batch struct {
	vectors [MaxBatch]unix.Iovec
	heads   [MaxBatch]mmsghdr
}

// mmsghdr is struct mmsghdr (linux/socket.h).
type mmsghdr struct {
	msghdr unix.Msghdr
	sent   uint32
	_      [4]byte
}

// send sends the first frames, at most MaxBatch, and returns how many.
func (b *batch) send(fd int, frames [][]byte) (int, error) {
	frames = frames[:min(len(frames), MaxBatch)]
	for i, f := range frames {
		b.vectors[i].Base = unsafe.SliceData(f)
		b.vectors[i].SetLen(len(f))
		b.heads[i].msghdr.Iov = &b.vectors[i]
		b.heads[i].msghdr.SetIovlen(1)
	}
	n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.heads[0])), uintptr(len(frames)), 0, 0, 0)
	runtime.KeepAlive(frames)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
