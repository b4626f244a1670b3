package main

// #include "call.h"
import "C"

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"gomapi/mapi"
)

// patience is how long a call may take: a daemon that was stopped must not hold its
// clients for ever. Closing is done for the program when the daemon has been told.
const (
	patience      = 30 * time.Second
	closePatience = 5 * time.Second
)

// server answers the calls of the program.
type server struct {
	calls  *C.struct_calls
	client client
	names  *names
	idle   atomic.Int32 // goroutines that wait for calls

	mu         sync.Mutex
	flows      map[int]*flow
	devices    map[string]*device
	lastDevice int
	// connections are the numbers of those that stand, by what tells of their end.
	connections    map[<-chan struct{}]uint32
	lastConnection uint32
}

// flow is what the program has made, and holds in memory until it is released.
type flow struct {
	*mapi.Flow
	functions []function
}

// function keeps the memory in which the values of a function lie.
type function struct {
	*mapi.Function
	at mapi.Foreign
}

// device is a capture file. The C part knows it by number.
type device struct {
	*mapi.OfflineDevice
	number int
}

// handlers are the calls by number.
var handlers = map[C.enum_call_op]func(*server, context.Context, *C.struct_call) error{
	C.CALL_CREATE_FLOW:         (*server).createFlow,
	C.CALL_CREATE_OFFLINE_FLOW: (*server).createOfflineFlow,
	C.CALL_CREATE_DEVICE:       (*server).createDevice,
	C.CALL_START_DEVICE:        (*server).startDevice,
	C.CALL_DELETE_DEVICE:       (*server).deleteDevice,
	C.CALL_LETTERS_OF:          (*server).lettersOf,
	C.CALL_APPLY:               (*server).apply,
	C.CALL_APPLY_ARRAY:         (*server).applyArray,
	C.CALL_CONNECT:             (*server).connect,
	C.CALL_CLOSE:               (*server).close,
	C.CALL_RELEASE:             (*server).release,
	C.CALL_STATS:               (*server).stats,
	C.CALL_DEVICE_INFO:         (*server).deviceInfo,
	C.CALL_LIBRARY_INFO:        (*server).libraryInfo,
	C.CALL_LIBFUNCT_INFO:       (*server).libFunctInfo,
	C.CALL_FLOW_INFO:           (*server).flowInfo,
	C.CALL_FUNCTION_INFO:       (*server).functionInfo,
}

// answer calls the handler and hands the slot back.
func (s *server) answer(c *C.struct_call) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := handlers[c.op](s, ctx, c); err != nil {
		c.code = C.int(numberOf(err))
		put(c.message[:], err.Error())
	}
	C.call_done(s.calls, c)
}

// numberOf is the number of an error in C. There, a call that was given up is one that
// the daemon has not answered.
func numberOf(err error) mapi.Code {
	var e *mapi.Error
	if errors.As(err, &e) && e.Code != mapi.ErrCanceled {
		return e.Code
	}
	return mapi.ErrCommSocket
}

// fail makes an error of a call that the package mapi has no part in.
func fail(code mapi.Code, op string, reason error) error {
	return &mapi.Error{Op: op, Code: code, Err: reason}
}

// put copies text into an array of C, cut to what fits, with a NUL behind.
func put(to []C.char, text string) {
	n := min(len(text), len(to)-1)
	for i := range n {
		to[i] = C.char(text[i])
	}
	to[n] = 0
}
