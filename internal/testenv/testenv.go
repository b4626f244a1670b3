// Package testenv gives tests the same environment regardless of how they are
// started, and time limits that suit any machine.
package testenv

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// HeedSignals restores the default handling of SIGINT and SIGHUP in child
// processes: nohup(1) and shells make background programs ignore these signals.
// It catches the signals, which exec(2) resets to the default in children; this
// process continues to ignore them. TestMain must call it before it starts
// anything.
func HeedSignals() {
	for _, s := range []os.Signal{unix.SIGINT, unix.SIGHUP} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}
