// Package rawview gives the C library what package mapi keeps from Go programs: the shared
// memory behind functions and flows, and the calls that only the C API needs. Package mapi
// fills in the variables when it is initialized. It cannot be imported from here, so its
// values are of type any: a flow is a *mapi.Flow, fn a *mapi.Function, client a *mapi.Client.
package rawview

import (
	"context"
	"os"

	"gomapi/internal/ring"
)

// A View is the memory in which the values of a function lie; see docs/shm.md for the
// layouts.
//
// Result stays mapped as long as the function is in use, even after its flow is closed;
// then it may hold the values of another function. Ring and Page are valid until Free.
type View struct {
	Result []byte // sequence word and result; nil: no result, or a series
	Size   int    // bytes of the result, or of an entry of the series

	Ring   []byte   // ring of packets or of entries of a series, with its header; nil: none
	Page   []byte   // page that the reader of Ring writes
	Socket *os.File // socket on which the reader sleeps; the caller closes it
	Series bool     // Ring holds entries instead of packets
	NoWait bool     // TO_BUFFER was applied with NoWait
}

// Free unmaps the memory of Ring and Page.
func (v View) Free() { ring.Foreign{Data: v.Ring, Page: v.Page}.Free() }

var (
	// OfFunction hands the reading of a function over to the caller. Call it once; after
	// that Read, Next and similar methods must not be called. Errors: 6145 the flow is
	// closed, 6148 out of descriptors.
	OfFunction func(fn any) (View, error)

	// OfFlow returns the state of a flow, read-only and valid as long as the flow is in use.
	OfFlow func(flow any) []byte

	// Memory returns the start of the memory that the flow's connection shares, under the
	// same conditions. Its first word becomes 0 when the daemon takes the memory back.
	Memory func(flow any) []byte

	// Lost returns a channel that is closed when the flow's connection to the daemon is
	// lost. The results of the flow no longer change then.
	Lost func(flow any) <-chan struct{}

	// ArgDescr returns the argument letters of a function, or "" if the daemon does not
	// have it. The name is the one that Apply takes. original is how many of the letters,
	// from the first, the original's function has. The daemon is asked once per connection.
	ArgDescr func(ctx context.Context, flow any, name string) (letters string, original int, err error)

	// NextFlow returns the mapi.FlowInfo of the first flow with a number above fd. If there
	// is none, the error is 6149 if fd is 0 or a flow that the client may see, else 6145.
	NextFlow func(ctx context.Context, client any, fd int) (any, error)

	// NextFunction returns the mapi.FunctionInfo of the first function of a flow with a
	// number above fid. Errors: 6141 no such flow, 6150 no such function.
	NextFunction func(ctx context.Context, client any, fd, fid int) (any, error)
)
