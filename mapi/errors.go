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
	Op   string // the call and what it was about: "apply BPF_FILTER to flow 3"
	Code Code   // number of the original API, or ErrCanceled
	Err  error  // what the daemon or the system said
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

// fail is the one way by which errors leave the package: it adds the call and
// the number, and remembers the error for ReadError.
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

// ReadError returns the number and the text of the client's last failed call
// and forgets it: 0 and "" when there is none. A call that succeeds does not
// clear it. Programs written for Go use the error that each call returns.
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

// gaveUp is the reason of calls whose context has ended.
func gaveUp(what string, ctx context.Context) error {
	return mapierr.Wrap(ErrCanceled, what, ctx.Err())
}

// errClosed is the reason of calls on a flow that the program has closed.
func errClosed(fd int) error { return ownClose(fmt.Sprintf("flow %d", fd)) }

// errClientClosed is the reason of calls on what was made over a client that the
// program has closed since.
var errClientClosed = ownClose("the client, and with it what was made over it,")

func ownClose(what string) error {
	return &mapierr.Error{Code: ErrInvalidFlow, Err: closedHere(what)}
}

// closedHere is the cause of calls that come too late: the program itself has closed
// what they are about.
type closedHere string

func (c closedHere) Error() string { return string(c) + " was closed by this program" }

// Is makes it what other packages say of a closed file or connection.
func (closedHere) Is(target error) bool { return target == os.ErrClosed || target == net.ErrClosed }

// isCode reports whether err carries the number c.
func isCode(err error, codes ...Code) bool {
	return slices.ContainsFunc(codes, func(c Code) bool { return errors.Is(err, c) })
}
