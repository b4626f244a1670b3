// Command libmapi is the Go part of the C library: calls of C programs over package
// mapi. It is built as libmapi-go.so, which libmapi.so, the C part in lib, loads at
// the first call; docs/libmapi.md tells why there are two.
//
// The C part sends its calls over slots in memory (lib/call.h), goroutines answer
// them. No thread of the C program runs Go code, but one that starts the
// library. What is read often, results and packets, the C part reads itself: the
// answers say where it lies in memory.
//
// The way of a call: serve takes it, answer finds its handler, and the handlers are
// in flows.go, apply.go, devices.go and info.go.
package main

/*
#cgo LDFLAGS: -Wl,--wrap=pthread_create
#cgo CFLAGS: -std=gnu11 -D_GNU_SOURCE -I${SRCDIR}/include -I${SRCDIR}/lib
#include "call.h"
*/
import "C"

import "gomapi/mapi"

// main is for the linker: a library has none.
func main() {}

// libmapi_go_start begins to answer calls, for as long as the process lives. It
// returns 0, or -1 when the C part is of another version.
//
//export libmapi_go_start
func libmapi_go_start(calls *C.struct_calls) C.int {
	if calls.version != C.CALL_VERSION || calls.size != C.sizeof_struct_calls {
		return -1
	}
	s := &server{
		calls: calls, names: newNames(),
		flows: make(map[int]*flow), devices: make(map[string]*device), connections: make(map[<-chan struct{}]uint32),
	}
	s.idle.Add(1)
	go s.serve()
	return 0
}

// spare is how many goroutines wait for calls when there are none.
const spare = 2

// serve takes calls and answers them. Who takes the last one that waits makes another:
// a call that waits for the daemon holds up nobody.
func (s *server) serve() {
	for {
		c := C.call_next(s.calls)
		if s.idle.Add(-1) == 0 {
			s.idle.Add(1)
			go s.serve()
		}
		s.answer(c)
		if s.idle.Add(1) > spare {
			s.idle.Add(-1)
			return
		}
	}
}

// client is the connection of the program. It finds the daemon as programs in Go do.
type client = mapi.Client
