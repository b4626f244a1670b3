// Command libmapi is the Go part of the C library: it answers the calls of C programs
// through package mapi. It is built as libmapi-go.so. The C part, libmapi.so in folder
// lib, loads it at the first call. See docs/libmapi.md for why there are two parts.
//
// The C part passes its calls in slots in memory (lib/call.h), and goroutines answer
// them. No thread of the C program runs Go code, except one that starts the library.
// The C part itself reads results and packets, because programs read them often. The
// answers contain their addresses.
//
// Each call passes through serve and answer to its handler in flows.go, apply.go,
// devices.go or info.go.
package main

/*
#cgo LDFLAGS: -Wl,--wrap=pthread_create
#cgo CFLAGS: -std=gnu11 -D_GNU_SOURCE -I${SRCDIR}/include -I${SRCDIR}/lib
#include "call.h"
*/
import "C"

import "gomapi/mapi"

// main satisfies the linker. A library does not run it.
func main() {}

// libmapi_go_start starts to answer calls, until the process ends. It returns 0, or -1
// if the C part has another version.
//
//export libmapi_go_start
func libmapi_go_start(calls *C.struct_calls) C.int {
	if calls.version != C.CALL_VERSION || calls.size != C.sizeof_struct_calls {
		return -1
	}
	s := &server{
		calls: calls, names: newNames(calls.names[:]),
		patience: deadline{limit: patience}, closePatience: deadline{limit: closePatience},
		flows: make(map[int]*flow), devices: make(map[string]*device), connections: make(map[<-chan struct{}]uint32),
	}
	bell, err := hang(calls)
	if err != nil {
		return -1
	}
	go s.attend(bell)
	return 0
}

// client is the program's client of the daemon. It finds the daemon like a Go program
// does.
type client = mapi.Client
