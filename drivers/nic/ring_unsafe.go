package nic

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// statusOf returns the status word at the start of b, a part of a block or
// frame. Both start at multiples of 16, so the word is aligned.
func statusOf(b []byte) *uint32 {
	return (*uint32)(unsafe.Pointer(&b[0]))
}

// load32 reads a word that the kernel may change concurrently; its alignment is
// that of statusOf.
func load32(b []byte) uint32 { return atomic.LoadUint32(statusOf(b)) }

// load64 is load32 for 64 bits, aligned to 8 bytes.
func load64(b []byte) uint64 { return atomic.LoadUint64((*uint64)(unsafe.Pointer(&b[0]))) }

// owned reports whether the kernel has handed over the block or frame. Its load
// precedes all reads of the block or frame. It pairs with the barriers in the
// kernel's prb_close_block and tpacket_rcv (net/packet/af_packet.c).
func owned(status *uint32) bool {
	return atomic.LoadUint32(status)&unix.TP_STATUS_USER != 0
}

// giveBack returns the block or frame to the kernel, after all reads of it.
func giveBack(status *uint32) {
	atomic.StoreUint32(status, unix.TP_STATUS_KERNEL)
}
