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

// nameRoom is the size of the buffer for the name of an offline device, in bytes: the
// path of the capture file, "@", a number and a NUL.
const nameRoom = 4096 + 16

var errNameTooLong = errors.New("the path is too long for the name of a device")

// names are the names of offline devices that the program receives. malloc allocates
// them, because programs may free them. No call waits for malloc: the caller may be a
// signal handler that has interrupted malloc or free, whose locks stay held until the
// handler has its answer.
type names struct {
	room         []*C.char // buffers for later names, in memory that leak checkers see
	empty, ahead chan int  // indexes of room, without and with a buffer

	mu  sync.Mutex
	out map[string]*C.char // names that the program has; it may have freed them
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

// allocate fills the empty places of room, until the process ends.
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

// free frees the name of a deleted device, if text is the pointer that give returned.
// Any other text belongs to the program, which may have freed the name itself.
func (n *names) free(name string, text *C.char) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.out[name] == text {
		go C.free(unsafe.Pointer(text)) // free may wait for its lock
	}
	delete(n.out, name)
}
