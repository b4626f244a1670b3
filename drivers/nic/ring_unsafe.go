package nic

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// statusOf returns the status word of a block. Blocks begin at a page, so the
// word is aligned.
func statusOf(block []byte) *uint32 {
	return (*uint32)(unsafe.Pointer(&block[blockStatus]))
}

// owned reports whether the kernel has handed the block over. The load comes
// before all reads of the block: it pairs with the barrier in the kernel's
// prb_close_block (net/packet/af_packet.c).
func owned(status *uint32) bool {
	return atomic.LoadUint32(status)&unix.TP_STATUS_USER != 0
}

// giveBack returns the block to the kernel, after all reads of it.
func giveBack(status *uint32) {
	atomic.StoreUint32(status, unix.TP_STATUS_KERNEL)
}
