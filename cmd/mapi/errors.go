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

// A usageError is a mistake in the command line.
type usageError struct{ error }

// Errors of the tool itself.
var (
	// errInterrupted ends a call that a signal stopped before its work was
	// done.
	errInterrupted = errors.New("interrupted")
	// errPartial ends a call that has printed an incomplete result and has said
	// so.
	errPartial = errors.New("partial result")
	// errDeadline ends a call whose --deadline has passed.
	errDeadline = errors.New("no result before the deadline")
)

// explain replaces context errors, which are wrapped deep in those of calls, by
// their meaning for the user. ctx ends with a signal.
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

// complain prints err in one line and, after a mistake in the command line,
// where to find help.
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

// pieceName matches the path of a part of a capture from a pipe.
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
	case is(err, mapi.ErrNoDriver): // wrapped in a 5123 if the device name is a scope (HOST:DEVICE)
		return exitFailed
	case is(err, mapi.ErrCommInitSocket, mapi.ErrCommSocket):
		return exitNoDaemon
	}
	return exitFailed
}

// refused reports whether err is about permissions: of files, of the daemon, of
// the user on the daemon's host, or because the client does not trust the
// daemon's user.
func refused(err error) bool {
	switch {
	case is(err, os.ErrPermission, mapi.ErrAuthFailed, mapi.ErrNoAuthData, mapi.ErrNotAuthenticated):
		return true
	case is(err, mapi.ErrPcapOpen):
		// The error of the daemon arrives as code and text only.
		return strings.Contains(err.Error(), "CAP_NET_")
	}
	return slices.ContainsFunc(causes(err), foreign)
}

// absent reports whether err says that no daemon listens at any socket path.
func absent(err error) bool {
	all := causes(err)
	return len(all) > 0 && !slices.ContainsFunc(all, func(err error) bool {
		return !is(err, os.ErrNotExist, syscall.ECONNREFUSED)
	})
}

// foreign reports whether a cause of 5124 is that the daemon belongs to another
// user. Only this cause comes from no system call.
func foreign(err error) bool {
	return !is(err, os.ErrNotExist, os.ErrPermission, context.Canceled, context.DeadlineExceeded) &&
		!errors.As(err, new(syscall.Errno))
}

// causes returns the failure at each socket path, if err is 5124.
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

// inWords replaces the standard library's message about a bad flag value by a
// description of valid values.
func inWords(err error) error {
	cause := errors.Unwrap(err)
	if cause == nil || errors.Is(cause, errTwice) {
		return err
	}
	want := "want a duration with a unit, such as 5s or 2m"
	if strings.Contains(err.Error(), "--interval") {
		want += "; for a device use -d"
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
