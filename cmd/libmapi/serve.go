package main

// #include "call.h"
import "C"

import (
	"os"

	"golang.org/x/sys/unix"

	"gomapi/internal/spin"
)

// hang makes the bell: a socket that callers write to when no goroutine polls the slots.
// It returns the end that is read. A socket, not an eventfd: if the program closes the
// descriptor and opens a file in its place, a caller writes nothing into that file.
func hang(calls *C.struct_calls) (*os.File, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	calls.bell = C.int(pair[1])
	return os.NewFile(uintptr(pair[0]), "libmapi-bell"), nil
}

// attend starts a goroutine for each call that is ready when the bell rings. It runs
// for as long as the process.
func (s *server) attend(bell *os.File) {
	rings := make([]byte, 64)
	for {
		if _, err := bell.Read(rings); err != nil {
			return // the program has closed the descriptor
		}
		s.startAll()
	}
}

// startAll starts a goroutine for each call that is ready.
func (s *server) startAll() {
	for c := take(s.calls); c != nil; c = take(s.calls) {
		go s.serve(c)
	}
}

// serve answers a call, and those that follow it at once.
func (s *server) serve(c *C.struct_call) {
	for c != nil {
		s.answer(c)
		c = s.next()
	}
}

// next polls for the next call for a moment. A program that sets up flows makes one
// call after the other, and then needs no wake-up. While this goroutine polls, callers do not
// ring, so it also starts the other calls that have become ready.
func (s *server) next() (c *C.struct_call) {
	attended := attendedBy(s.calls)
	attended.Add(1)
	spin.Until(func() bool {
		c = take(s.calls)
		return c != nil
	})
	attended.Add(^uint32(0))
	if c == nil {
		c = take(s.calls)
	}
	s.startAll()
	return c
}
