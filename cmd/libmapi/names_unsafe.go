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
	ahead chan *C.char // each with room for a name

	mu  sync.Mutex
	out map[*C.char]struct{} // with the program
}

func newNames() *names {
	n := &names{ahead: make(chan *C.char, 16), out: make(map[*C.char]struct{})}
	go n.allocate()
	return n
}

// allocate works for as long as the process lives.
func (n *names) allocate() {
	for {
		n.ahead <- (*C.char)(C.malloc(nameRoom))
	}
}

// give passes a name to the program.
func (n *names) give(ctx context.Context, name string) (*C.char, error) {
	if len(name) >= nameRoom {
		return nil, fail(mapi.ErrInvalidArgument1, "name a device", errNameTooLong)
	}
	select {
	case text := <-n.ahead:
		put(unsafe.Slice(text, nameRoom), name)
		n.mu.Lock()
		defer n.mu.Unlock()
		n.out[text] = struct{}{}
		return text, nil
	case <-ctx.Done():
		return nil, fail(mapi.ErrMemory, "name a device", ctx.Err())
	}
}

// free takes a name back. Of other texts it knows nothing.
func (n *names) free(text *C.char) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ours := n.out[text]; ours {
		delete(n.out, text)
		go C.free(unsafe.Pointer(text)) // it may wait
	}
}
