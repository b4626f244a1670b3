package main

// #include <stdlib.h>
// #include "call.h"
import "C"

import (
	"context"
	"errors"
	"sync"
	"unsafe"

	"gomapi/mapi"
)

// nameRoom is what the name of a capture file as a device takes at most, in bytes: its
// path, "@" and a number.
const nameRoom = 4096 + 16

var errNameTooLong = errors.New("the path is too long for the name of a device")

// names are texts for the program. They are allocated by malloc, as programs may free
// them, but never for a call that somebody waits for: a handler may have interrupted
// malloc or free, whose locks it holds until it has its answer.
type names struct {
	room         []*C.char // in memory that tools which look for leaks see
	empty, ahead chan int  // places in room, without and with a text

	mu  sync.Mutex
	out map[string]*C.char // with the program, by what they say: it may have freed them
}

func newNames(room []*C.char) *names {
	n := &names{
		room: room, empty: make(chan int, len(room)), ahead: make(chan int, len(room)),
		out: make(map[string]*C.char),
	}
	for i := range room {
		n.empty <- i
	}
	go n.allocate()
	return n
}

// allocate works for as long as the process lives.
func (n *names) allocate() {
	for i := range n.empty {
		n.room[i] = (*C.char)(C.malloc(nameRoom))
		n.ahead <- i
	}
}

// give passes a name to the program.
func (n *names) give(ctx context.Context, name string) (*C.char, error) {
	if len(name) >= nameRoom {
		return nil, fail(mapi.ErrInvalidArgument1, "name a device", errNameTooLong)
	}
	select {
	case i := <-n.ahead:
		text := n.room[i]
		n.room[i] = nil
		n.empty <- i
		put(unsafe.Slice(text, nameRoom), name)
		n.mu.Lock()
		defer n.mu.Unlock()
		n.out[name] = text
		return text, nil
	case <-ctx.Done():
		return nil, fail(mapi.ErrMemory, "name a device", ctx.Err())
	}
}

// free takes the name of a device back that is no more, if text is what give gave for
// it. Another text is the program's, also where one lay that it has freed itself.
func (n *names) free(name string, text *C.char) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.out[name] == text {
		go C.free(unsafe.Pointer(text)) // it may wait
	}
	delete(n.out, name)
}
