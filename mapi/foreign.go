package mapi

import (
	"context"
	"os"
	"slices"

	"gomapi/internal/mapierr"
	"gomapi/internal/ring"
)

// A Foreign gives the memory in which the values of a function lie, for readers in
// other languages. The C library uses it; other language bindings can do the same.
// The daemon shares this memory with the program; see docs/shm.md for the layouts.
//
// Result stays mapped as long as the Function is in use, even after the flow is
// closed; then it may hold the values of another function. Ring and Page are valid
// until Free.
type Foreign struct {
	Result []byte // sequence word and result; nil: no result, or a series
	Size   int    // bytes of the result, or of an entry of the series

	Ring   []byte   // ring of packets or of entries of a series, with its header; nil: none
	Page   []byte   // page that the reader of Ring writes
	Socket *os.File // socket on which the reader sleeps; the caller closes it
	Series bool     // Ring holds entries instead of packets
	NoWait bool     // TO_BUFFER was applied with NoWait
}

// Free unmaps the memory of Ring and Page.
func (f Foreign) Free() { ring.Foreign{Data: f.Ring, Page: f.Page}.Free() }

// Foreign hands the reading of the function over to the caller. Call it once; after
// that Read, Next and similar methods must not be called. Errors: 6145 the flow is
// closed, 6148 out of descriptors.
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

// disown removes a buffer that the caller of Foreign reads.
func (f *Flow) disown(fn *Function) {
	f.link.mu.Lock()
	defer f.link.mu.Unlock()
	f.buffers = slices.DeleteFunc(f.buffers, func(b *Function) bool { return b == fn })
}

// Foreign returns the shared memory of the flow. It is read-only and valid as long as
// the Flow is in use. See docs/shm.md for its layout.
func (f *Flow) Foreign() []byte { return f.place.Bytes() }

// Lost returns a channel that is closed when the flow's connection to the daemon is
// lost. The results of the flow no longer change then.
func (f *Flow) Lost() <-chan struct{} { return f.link.lost }

// ArgDescr returns the argument letters of a function, as in LibFunctInfo, or "" if
// the daemon does not have the function. The name is the one that Apply takes.
// original is how many of the letters, from the first, the original's function has.
// ArgDescr asks the daemon once per connection.
func (f *Flow) ArgDescr(ctx context.Context, name string) (letters string, original int, err error) {
	d, err := f.link.descr(ctx, name)
	if err != nil {
		f.note(name, err) // without the letters the caller cannot apply the function
	}
	return d.letters, d.original, f.client.fail(err, "arguments of %s", name)
}
