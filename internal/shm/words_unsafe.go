package shm

import (
	"sync/atomic"
	"unsafe"
)

// asWords returns mapped memory as atomic words. A mapping is page-aligned, so
// the words are aligned.
func asWords(mem []byte) []atomic.Uint64 {
	return unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(unsafe.SliceData(mem))), len(mem)/wordSize)
}

// asBytes returns words as bytes. Writes through it are not atomic.
func asBytes(w []atomic.Uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(w))), len(w)*wordSize)
}
