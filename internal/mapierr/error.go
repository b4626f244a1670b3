// Package mapierr defines the error numbers of the API and the error type that
// carries such a number from where it occurs, through the daemon and the
// socket, to the calling program.
package mapierr

import (
	"errors"
	"fmt"
)

// Text returns a short description of c, even if the number is unknown.
func (c Code) Text() string {
	if t, ok := texts[c]; ok {
		return t
	}
	return fmt.Sprintf("unknown error number %d", int(c))
}

// Error makes a number an error by itself.
func (c Code) Error() string { return c.Text() }

// Known reports whether c is a number of the API.
func (c Code) Known() bool {
	_, ok := texts[c]
	return ok
}

// An Error is a failure with its number.
type Error struct {
	Code Code
	Msg  string // what happened, where, and the remedy; empty: the cause's or the number's text
	Err  error  // cause, if any
}

func (e *Error) Error() string {
	msg := e.Msg
	if msg == "" {
		msg = e.Code.Text()
	}
	switch {
	case e.Err == nil:
		return msg
	case e.Msg == "":
		return e.Err.Error()
	}
	return msg + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the number of e.
func (e *Error) Is(target error) bool {
	c, ok := target.(Code)
	return ok && c == e.Code
}

// New returns an error with number c and a text for people.
func New(c Code, format string, args ...any) *Error {
	return &Error{Code: c, Msg: fmt.Sprintf(format, args...)}
}

// Wrap returns an error with number c and cause err. what is the action that
// failed.
func Wrap(c Code, what string, err error) *Error {
	return &Error{Code: c, Msg: what, Err: err}
}

// CodeOf returns the number that err carries, or def if it has none.
func CodeOf(err error, def Code) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return def
}

// BadArgument returns the number for the function argument at index i, counted
// from 0: 7001 to 7005, then 7011, then 7000.
func BadArgument(i int) Code {
	switch {
	case i >= 0 && i < 5:
		return InvalidArgument1 + Code(i)
	case i == 5:
		return InvalidArgument6
	}
	return InvalidArgument
}
