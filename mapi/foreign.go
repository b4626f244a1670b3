package mapi

import (
	"context"
	"os"

	"gomapi/internal/mapierr"
)

// A Foreign is where the values of a function lie in the memory that the daemon
// shares with the program, for readers in other languages: the C library stands
// on it, and so can bindings of the same kind. docs/shm.md has the layouts. The
// memory is valid as long as the Function is in use, also when the flow is
// closed; after that it may hold the values of another function.
type Foreign struct {
	Result []byte // sequence word and result; nil: none, or a series
	Size   int    // bytes of the result, or of an entry of the series

	Ring   []byte   // packets of TO_BUFFER, or a series, with their head; nil: none
	Page   []byte   // what the reader of Ring writes
	Socket *os.File // on which it sleeps; the caller closes it
	Series bool     // Ring holds entries instead of packets
	NoWait bool     // the flag of TO_BUFFER
}

// Foreign gives reading a function into other hands: Read, Next and their like may
// no longer be called. Errors: 6145 the flow is closed, 6148 out of descriptors.
func (fn *Function) Foreign() (Foreign, error) {
	var f Foreign
	if fn.result != nil {
		f.Result, f.Size = fn.result.Bytes(), fn.result.Size()
	}
	if fn.buffer == nil {
		return f, nil
	}
	var err error
	f.Ring, f.Page, f.Socket, err = fn.buffer.Foreign()
	switch {
	case fn.flow.closed.Load():
		err = errClosed(fn.flow.fd)
	case err != nil:
		err = mapierr.Wrap(ErrReaderSem, "packet buffer", err)
	}
	if err != nil {
		if f.Socket != nil {
			f.Socket.Close()
		}
		return Foreign{}, fn.fail(err)
	}
	f.Series, f.NoWait = fn.isSeries(), fn.buffer.noWait
	if f.Series {
		f.Result, f.Size = nil, fn.buffer.entry
	}
	return f, nil
}

// Foreign is the place of the flow in shared memory, read-only, valid as long as
// the Flow is in use (docs/shm.md).
func (f *Flow) Foreign() []byte { return f.place.Bytes() }

// Lost is closed when the connection to the daemon over which the flow was made is
// no more: its results stand still.
func (f *Flow) Lost() <-chan struct{} { return f.link.lost }

// ArgDescr returns the argument letters of a function, as LibFunctInfo has them, by
// the name that Apply takes; "" for one that the daemon does not have. It asks the
// daemon once per connection.
func (f *Flow) ArgDescr(ctx context.Context, name string) (string, error) {
	descr, err := f.link.descr(ctx, name)
	if err != nil {
		f.note(name, err) // who needs the letters cannot apply it
	}
	return descr, f.client.fail(err, "arguments of %s", name)
}
