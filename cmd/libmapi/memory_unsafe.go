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

// textLimit bounds what is read of a text of the program, in bytes. A message to the
// daemon has room for less.
const textLimit = 1 << 16

// text copies a text of the program.
func text(s *C.char) string { return string(bytesOf(s)) }

func bytesOf(s *C.char) []byte {
	return C.GoBytes(unsafe.Pointer(s), C.int(C.strnlen(s, textLimit)))
}

// bytesAt copies the text that an argument points to, nil for NULL.
func bytesAt(word uint64) any {
	if word == 0 {
		return nil
	}
	return bytesOf(charAt(word))
}

// path is bytesAt for the path of a file.
func path(word uint64) any {
	if word == 0 {
		return nil
	}
	return text(charAt(word))
}

// charAt makes a pointer of a word that C has made of one.
func charAt(word uint64) *C.char { return *(**C.char)(unsafe.Pointer(&word)) }

// texts copies an array of n texts; a NULL among them ends it.
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

// words and memory are where mapped memory lies, NULL for none. It is no memory of
// Go's, so C may keep the pointer.
func words(mem []byte) *C.uint64_t { return (*C.uint64_t)(memory(mem)) }

func memory(mem []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(mem)) }

// setLost tells the C part that connections up to number n are no more.
func setLost(calls *C.struct_calls, n uint32) {
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&calls.lost)), n)
}

// setFunctions stores in a union.
func setFunctions(to *C.mapi_lib_info_t, n int) {
	*(*C.uint)(unsafe.Pointer(&to.anon0)) = C.uint(n)
}

// detach makes a descriptor of a file that C is to close.
func detach(f *os.File) (C.int, error) {
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	return C.int(fd), err
}
