package main

import (
	"context"
	"errors"
	"fmt"
	"os"

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
	fmt.Fprintf(t.stderr, "mapi: %s\n", printable(err.Error()))
	if errors.As(err, new(usageError)) {
		fmt.Fprintf(t.stderr, "Try \"%s --help\".\n", cmd.CommandPath())
	}
}

func exitCode(err error) int {
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, new(usageError)):
		return exitUsage
	case errors.Is(err, errPartial), errors.Is(err, errInterrupted):
		return exitInterrupted
	case is(err, mapi.ErrCommInitSocket, mapi.ErrCommSocket):
		return exitNoDaemon
	case is(err, mapi.ErrPcapOpen, mapi.ErrAuthFailed, mapi.ErrNoAuthData, mapi.ErrNotAuthenticated, os.ErrPermission):
		return exitRefused
	}
	return exitFailed
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
