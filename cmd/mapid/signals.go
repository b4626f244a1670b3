package main

import (
	"context"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// untilSignal returns a context that ends with the first signal to stop. The
// second signal kills the process. A private daemon ends with its client and
// leaves the terminal's signals to it.
func untilSignal(ctx context.Context, private bool) (context.Context, context.CancelFunc) {
	// A closed standard output or error is no reason to end.
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	signals := []os.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGQUIT}
	if private {
		signal.Ignore(unix.SIGINT, unix.SIGQUIT)
		signals = signals[:1]
	}
	ctx, stop := signal.NotifyContext(ctx, signals...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// hangUps catches SIGHUP, which has two meanings: reload the configuration, or
// the terminal is gone.
type hangUps struct {
	arrived  chan os.Signal // nil: signals are ignored
	terminal bool           // the daemon has a terminal
}

// catchHangUps starts catching SIGHUP. A private daemon ignores it, because it
// ends with its client. A daemon that was started with SIGHUP ignored
// (nohup(1)) keeps ignoring it.
func catchHangUps(private bool) *hangUps {
	if private || signal.Ignored(unix.SIGHUP) {
		signal.Ignore(unix.SIGHUP)
		return &hangUps{}
	}
	h := &hangUps{arrived: make(chan os.Signal, 1), terminal: onTerminal()}
	signal.Notify(h.arrived, unix.SIGHUP)
	return h
}

// fromTerminal reports whether the terminal is gone. The kernel detaches the
// terminal from its processes before it sends the signal.
func (h *hangUps) fromTerminal() bool { return h.terminal && !onTerminal() }

// onTerminal reports whether this process has a controlling terminal. Without
// one, /dev/tty cannot be opened (tty(4)).
func onTerminal() bool {
	f, err := os.OpenFile("/dev/tty", os.O_RDONLY|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	f.Close()
	return true
}
