package mapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"

	"gomapi/internal/mapierr"
)

// An Error says which call failed and why.
type Error struct {
	Op   string // the call and its object: "apply BPF_FILTER to flow 3"
	Code Code   // number of the original API, or ErrCanceled
	Err  error  // error of the daemon or the system
}

// Error returns the call, the reason and the number in one line.
func (e *Error) Error() string { return fmt.Sprintf("%s: %v (error %d)", e.Op, e.Err, int(e.Code)) }

// Unwrap returns the cause, such as context.DeadlineExceeded or os.ErrClosed.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the number of e.
func (e *Error) Is(target error) bool {
	c, ok := target.(Code)
	return ok && c == e.Code
}

// fail prepares every error that leaves the package: it adds the call and the
// number, and stores the error for ReadError.
func (c *Client) fail(err error, op string, args ...any) error {
	if err == nil {
		return nil
	}
	e := &Error{Op: fmt.Sprintf(op, args...), Code: mapierr.CodeOf(err, ErrCommSocket), Err: err}
	c.lastMu.Lock()
	defer c.lastMu.Unlock()
	c.last = e
	return e
}

// ReadError returns the number and text of the client's last failed call and
// clears them. It returns 0 and "" if there is no error. A successful call does
// not clear them. Go programs should use the error that each call returns.
func (c *Client) ReadError() (code int, text string) {
	c.lastMu.Lock()
	defer c.lastMu.Unlock()
	if c.last == nil {
		return 0, ""
	}
	code, text = int(c.last.Code), c.last.Error()
	c.last = nil
	return code, text
}

// gaveUp is the error of a call whose context has ended.
func gaveUp(what string, ctx context.Context) error {
	return mapierr.Wrap(ErrCanceled, what, ctx.Err())
}

// errClosed is the error of calls on a flow that the program has closed.
func errClosed(fd int) error { return ownClose(fmt.Sprintf("flow %d", fd)) }

// errClientClosed is the error of calls on objects of a client that the program
// has closed.
var errClientClosed = ownClose("the client of this object")

func ownClose(what string) error {
	return &mapierr.Error{Code: ErrInvalidFlow, Err: closedHere(what)}
}

// closedHere is the cause of calls that come too late: the program itself has
// closed their object.
type closedHere string

func (c closedHere) Error() string { return string(c) + " was closed by this program" }

// Is makes it equal to the errors of other packages for a closed file or
// connection.
func (closedHere) Is(target error) bool { return target == os.ErrClosed || target == net.ErrClosed }

// isCode reports whether err carries one of the numbers.
func isCode(err error, codes ...Code) bool {
	return slices.ContainsFunc(codes, func(c Code) bool { return errors.Is(err, c) })
}
