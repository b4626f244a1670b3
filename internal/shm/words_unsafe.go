package shm

import (
	"sync/atomic"
	"unsafe"
)

// asWords views mapped memory as atomic words. The mapping starts on a page,
// so the words are aligned.
func asWords(mem []byte) []atomic.Uint64 {
	return unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(unsafe.SliceData(mem))), len(mem)/wordSize)
}

// asBytes views words as bytes. Writes through it are not atomic.
func asBytes(w []atomic.Uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(w))), len(w)*wordSize)
}
