// Package mapierr holds the error numbers of the API and the error type that
// carries one from the part that refuses, through the daemon and the socket,
// to the program that called.
package mapierr

import (
	"errors"
	"fmt"
)

// Text returns a short meaning of c, or of an unknown number what it is.
func (c Code) Text() string {
	if t, ok := texts[c]; ok {
		return t
	}
	return fmt.Sprintf("unknown error number %d", int(c))
}

// Error makes a number an error of its own: its meaning and the number.
func (c Code) Error() string { return c.Text() }

// Known reports whether c is a number of the API.
func (c Code) Known() bool {
	_, ok := texts[c]
	return ok
}

// An Error is a failure with its number.
type Error struct {
	Code Code
	Msg  string // what happened, where, and what to do; empty: as the cause, or the number's own text
	Err  error  // cause, if there is one
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

// New makes an error with number c and a text for people.
func New(c Code, format string, args ...any) *Error {
	return &Error{Code: c, Msg: fmt.Sprintf(format, args...)}
}

// Wrap gives err the number c and says what was being done.
func Wrap(c Code, what string, err error) *Error {
	return &Error{Code: c, Msg: what, Err: err}
}

// CodeOf returns the number that err carries, or def when it carries none.
func CodeOf(err error, def Code) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return def
}

// BadArgument returns the number for the function argument at index i, counted
// from 0: 7001 to 7005, then 7011, and 7000 beyond.
func BadArgument(i int) Code {
	switch {
	case i >= 0 && i < 5:
		return InvalidArgument1 + Code(i)
	case i == 5:
		return InvalidArgument6
	}
	return InvalidArgument
}
