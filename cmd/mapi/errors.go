package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"gomapi/mapi"
)

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNoDaemon    = 3
	exitRefused     = 4
	exitInterrupted = 5
)

// A usageError is a command line that cannot be understood.
type usageError struct{ error }

// Errors of the tool itself.
var (
	// errInterrupted is a signal that ended the call before its work was done.
	errInterrupted = errors.New("interrupted")
	// errPartial ends a call that has printed what it found, and that this is
	// not all.
	errPartial = errors.New("partial result")
	// errDeadline is the end of the time that --deadline allows.
	errDeadline = errors.New("no result before the deadline")
)

// explain replaces the errors of ended contexts, which sit deep in those of
// calls, by what they mean to the user. ctx is the one that signals end.
func (t *tool) explain(ctx context.Context, err error) error {
	switch {
	case err == nil, errors.Is(err, errPartial), errors.As(err, new(usageError)):
		return err
	case errors.Is(err, errClosedOutput):
		return nil
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return errInterrupted
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w of %v", errDeadline, t.deadline)
	}
	return err
}

// complain tells the user of err in one line, and after a mistake in the
// command line where help is.
func (t *tool) complain(cmd *cobra.Command, err error) {
	if err == nil || errors.Is(err, errPartial) {
		return
	}
	text := err.Error()
	if t.pipe != "" {
		text = pieceName.ReplaceAllString(text, t.pipe)
	}
	fmt.Fprintf(t.stderr, "mapi: %s\n", printable(text))
	if !errors.As(err, new(usageError)) {
		return
	}
	name := t.name
	if _, ok := originalHelp[name]; !ok {
		name = cmd.CommandPath()
	}
	fmt.Fprintf(t.stderr, "Try \"%s --help\".\n", name)
}

// pieceName is the name of a part of what came over a pipe.
var pieceName = regexp.MustCompile(`/proc/self/fd/\d+(@\d+)?`)

func exitCode(err error) int {
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, new(usageError)):
		return exitUsage
	case errors.Is(err, errPartial), errors.Is(err, errInterrupted):
		return exitInterrupted
	case refused(err):
		return exitRefused
	case is(err, mapi.ErrNoDriver): // the daemon's answer, also where a scope makes it 5123
		return exitFailed
	case is(err, mapi.ErrCommInitSocket, mapi.ErrCommSocket):
		return exitNoDaemon
	}
	return exitFailed
}

// refused reports whether err is about rights: of files, of the daemon, of the
// user there, or about the daemon's user, whom the client does not trust.
func refused(err error) bool {
	switch {
	case is(err, os.ErrPermission, mapi.ErrAuthFailed, mapi.ErrNoAuthData, mapi.ErrNotAuthenticated):
		return true
	case is(err, mapi.ErrPcapOpen):
		// Of what the daemon says only number and text come here.
		return strings.Contains(err.Error(), "CAP_NET_")
	}
	return slices.ContainsFunc(causes(err), foreign)
}

// absent reports whether err says that no daemon listens at any of the places.
func absent(err error) bool {
	all := causes(err)
	return len(all) > 0 && !slices.ContainsFunc(all, func(err error) bool {
		return !is(err, os.ErrNotExist, syscall.ECONNREFUSED)
	})
}

// foreign reports whether a cause of 5124 is that the daemon belongs to another
// user: the one that comes from no system call.
func foreign(err error) bool {
	return !is(err, os.ErrNotExist, os.ErrPermission, context.Canceled, context.DeadlineExceeded) &&
		!errors.As(err, new(syscall.Errno))
}

// causes returns why each place for a daemon gave none, if err is 5124.
func causes(err error) []error {
	if !is(err, mapi.ErrCommInitSocket) {
		return nil
	}
	for ; err != nil; err = errors.Unwrap(err) {
		if places, ok := err.(interface{ Unwrap() []error }); ok {
			return places.Unwrap()
		}
	}
	return nil
}

// inWords replaces what the standard library says of the value of a flag by what
// it should be.
func inWords(err error) error {
	cause := errors.Unwrap(err)
	if cause == nil || errors.Is(cause, errTwice) {
		return err
	}
	want := "want a time with its unit, such as 5s or 2m"
	if strings.Contains(err.Error(), "--interval") {
		want += "; a device is named with -d"
	}
	var number *strconv.NumError
	if errors.As(cause, &number) {
		switch {
		case number.Func == "ParseBool":
			want = "want true or false"
		case errors.Is(cause, strconv.ErrRange):
			want = "the number is out of range"
		default:
			want = "want a whole number, 0 or more"
		}
	}
	return errors.New(strings.TrimSuffix(err.Error(), cause.Error()) + want)
}

// is reports whether err is one of targets.
func is(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
