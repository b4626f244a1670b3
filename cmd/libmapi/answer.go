package main

// #include "call.h"
import "C"

import (
	"context"
	"errors"
	"sync"
	"time"

	"gomapi/internal/rawview"
	"gomapi/mapi"
)

// patience is how long a call may take: a stopped daemon must not block its clients
// for ever. Closing has a shorter limit: for the program a flow is closed as soon as the
// daemon has the request.
const (
	patience      = 30 * time.Second
	closePatience = 5 * time.Second
)

// server answers the calls of the program.
type server struct {
	calls  *C.struct_calls
	client client
	names  *names

	patience, closePatience deadline

	mu         sync.Mutex
	flows      map[int]*flow
	devices    map[string]*device
	lastDevice int
	// connections numbers the open connections. The keys are the channels that are
	// closed when a connection is lost.
	connections    map[<-chan struct{}]uint32
	lastConnection uint32
}

// flow is a flow of the program. It holds its memory until it is released.
type flow struct {
	*mapi.Flow
	functions []function
}

// function keeps the memory with the values of a function.
type function struct {
	*mapi.Function
	at rawview.View
}

// device is an offline device. The C part refers to it by number. The OfflineDevice is
// nil if the device was created with its flow.
type device struct {
	*mapi.OfflineDevice
	number int
}

// handlers maps each kind of call to its method.
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

// answer calls the handler and returns the slot to the C part.
func (s *server) answer(c *C.struct_call) {
	if err := handlers[c.op](s, s.patience.context(), c); err != nil {
		c.code = C.int(numberOf(err))
		put(c.message[:], err.Error())
	}
	C.call_done(s.calls, c)
}

// numberOf returns the number of an error in C. The original has no number for a call
// that was given up. Such a call has the number of one that the daemon did not answer.
func numberOf(err error) mapi.Code {
	var e *mapi.Error
	if errors.As(err, &e) && e.Code != mapi.ErrCanceled {
		return e.Code
	}
	return mapi.ErrCommSocket
}

// fail returns an error of this package, not of package mapi.
func fail(code mapi.Code, op string, reason error) error {
	return &mapi.Error{Op: op, Code: code, Err: reason}
}

// put copies text to a C array. It cuts the text to fit and adds a NUL.
func put(to []C.char, text string) {
	n := min(len(text), len(to)-1)
	for i := range n {
		to[i] = C.char(text[i])
	}
	to[n] = 0
}
