package mapi

import (
	"context"
	"os"
	"slices"

	"gomapi/internal/mapierr"
	"gomapi/internal/ring"
)

// A Foreign is where the values of a function lie in the memory that the daemon
// shares with the program, for readers in other languages: the C library stands
// on it, and so can bindings of the same kind. docs/shm.md has the layouts.
//
// Result is valid as long as the Function is in use, also when the flow is closed:
// after that it may hold the values of another function. Ring and Page are valid until
// Free.
type Foreign struct {
	Result []byte // sequence word and result; nil: none, or a series
	Size   int    // bytes of the result, or of an entry of the series

	Ring   []byte   // packets of TO_BUFFER, or a series, with their head; nil: none
	Page   []byte   // what the reader of Ring writes
	Socket *os.File // on which it sleeps; the caller closes it
	Series bool     // Ring holds entries instead of packets
	NoWait bool     // the flag of TO_BUFFER
}

// Free gives the memory of Ring and Page back.
func (f Foreign) Free() { ring.Foreign{Data: f.Ring, Page: f.Page}.Free() }

// Foreign gives reading a function into other hands, once: Read, Next and their like
// may no longer be called. Errors: 6145 the flow is closed, 6148 out of descriptors.
func (fn *Function) Foreign() (Foreign, error) {
	var f Foreign
	if fn.result != nil {
		f.Result, f.Size = fn.result.Bytes(), fn.result.Size()
	}
	if fn.buffer == nil {
		return f, nil
	}
	r, err := fn.buffer.Foreign()
	switch {
	case err != nil && fn.flow.closed.Load():
		return Foreign{}, fn.fail(errClosed(fn.flow.fd))
	case err != nil:
		return Foreign{}, fn.fail(mapierr.Wrap(ErrReaderSem, "packet buffer", err))
	}
	fn.flow.disown(fn)
	f.Ring, f.Page, f.Socket = r.Data, r.Page, r.Socket
	f.Series, f.NoWait = fn.isSeries(), fn.buffer.noWait
	if f.Series {
		f.Result, f.Size = nil, fn.buffer.entry
	}
	return f, nil
}

// disown forgets a buffer that others read.
func (f *Flow) disown(fn *Function) {
	f.link.mu.Lock()
	defer f.link.mu.Unlock()
	f.buffers = slices.DeleteFunc(f.buffers, func(b *Function) bool { return b == fn })
}

// Foreign is the place of the flow in shared memory, read-only, valid as long as
// the Flow is in use (docs/shm.md).
func (f *Flow) Foreign() []byte { return f.place.Bytes() }

// Lost is closed when the connection to the daemon over which the flow was made is
// no more: its results stand still.
func (f *Flow) Lost() <-chan struct{} { return f.link.lost }

// ArgDescr returns the argument letters of a function, as LibFunctInfo has them, by
// the name that Apply takes; "" for one that the daemon does not have. The first so
// many of them are those of the original's function. It asks the daemon once per
// connection.
func (f *Flow) ArgDescr(ctx context.Context, name string) (letters string, original int, err error) {
	d, err := f.link.descr(ctx, name)
	if err != nil {
		f.note(name, err) // who needs the letters cannot apply it
	}
	return d.letters, d.original, f.client.fail(err, "arguments of %s", name)
}
