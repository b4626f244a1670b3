package main

import (
	"context"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// untilSignal returns a context that ends with the first signal to stop; the
// second one kills. A daemon with one client ends with it and leaves the
// terminal's signals to it.
func untilSignal(ctx context.Context, private bool) (context.Context, context.CancelFunc) {
	// A reader of our output that goes away is no reason to end.
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

// hangUps tells of SIGHUP, which has two meanings: an administrator wants the
// configuration read again, or the terminal is gone.
type hangUps struct {
	arrived  chan os.Signal // nil: they are ignored
	terminal bool           // there is one that can go
}

// catchHangUps begins to catch SIGHUP. It is ignored by a daemon with one
// client, which ends with that, and where whoever started the daemon wants it
// so (nohup(1)).
func catchHangUps(private bool) *hangUps {
	if private || signal.Ignored(unix.SIGHUP) {
		signal.Ignore(unix.SIGHUP)
		return &hangUps{}
	}
	h := &hangUps{arrived: make(chan os.Signal, 1), terminal: onTerminal()}
	signal.Notify(h.arrived, unix.SIGHUP)
	return h
}

// fromTerminal reports whether the terminal is gone. The kernel takes it away
// from its processes before it sends the signal.
func (h *hangUps) fromTerminal() bool { return h.terminal && !onTerminal() }

// onTerminal reports whether this process has a controlling terminal, which
// tty(4) says is needed to open /dev/tty.
func onTerminal() bool {
	f, err := os.OpenFile("/dev/tty", os.O_RDONLY|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	f.Close()
	return true
}
