package main

// #include <stdlib.h>
// #include <string.h>
// #include "call.h"
import "C"

import (
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// textLimit is how much of a text of the program is read at most, in bytes. The limit
// of a message to the daemon is lower.
const textLimit = 1 << 16

// text copies a text of the program.
func text(s *C.char) string { return string(bytesOf(s)) }

func bytesOf(s *C.char) []byte {
	return C.GoBytes(unsafe.Pointer(s), C.int(C.strnlen(s, textLimit)))
}

// bytesAt copies the text to which an argument points. It returns nil for NULL.
func bytesAt(word uint64) any {
	if word == 0 {
		return nil
	}
	return bytesOf(charAt(word))
}

// path is like bytesAt for the path of a file, which is a string.
func path(word uint64) any {
	if word == 0 {
		return nil
	}
	return text(charAt(word))
}

// charAt converts a word back to the C pointer that it holds.
func charAt(word uint64) *C.char { return *(**C.char)(unsafe.Pointer(&word)) }

// texts copies an array of n texts. A NULL ends the array early.
func texts(array **C.char, n int) (list []string) {
	if array == nil {
		return nil
	}
	for _, s := range unsafe.Slice(array, n) {
		if s == nil {
			break
		}
		list = append(list, text(s))
	}
	return list
}

// words and memory return the address of mapped memory, or NULL for none. The memory
// does not belong to the Go heap, so C may keep the pointer.
func words(mem []byte) *C.uint64_t { return (*C.uint64_t)(memory(mem)) }

func memory(mem []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(mem)) }

// take claims a slot whose call is ready. It returns nil if there is none.
func take(calls *C.struct_calls) *C.struct_call {
	for i := range calls.slot {
		c := &calls.slot[i]
		state := (*atomic.Uint32)(unsafe.Pointer(&c.state))
		if state.Load() == C.CALL_READY && state.CompareAndSwap(C.CALL_READY, C.CALL_TAKEN) {
			return c
		}
	}
	return nil
}

// attendedBy is the number of goroutines that poll the slots.
func attendedBy(calls *C.struct_calls) *atomic.Uint32 {
	return (*atomic.Uint32)(unsafe.Pointer(&calls.attended))
}

// setLost tells the C part that all connections up to number n are lost.
func setLost(calls *C.struct_calls, n uint32) {
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&calls.lost)), n)
}

// setFunctions stores the number of functions, which is a union in C.
func setFunctions(to *C.mapi_lib_info_t, n int) {
	*(*C.uint)(unsafe.Pointer(&to.anon0)) = C.uint(n)
}

// detach duplicates the descriptor of a file, which it closes. The C part closes the
// duplicate.
func detach(f *os.File) (C.int, error) {
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	return C.int(fd), err
}
