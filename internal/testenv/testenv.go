// Package testenv gives tests the same surroundings whoever starts them, and time that
// is enough on any machine.
package testenv

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// HeedSignals ends the ignoring of SIGINT and SIGHUP that nohup(1) and shells leave to
// what they start in the background. Programs that this one starts then have the
// default, as exec(2) gives it for what is caught; this one goes on as if it ignored
// them still. It is for TestMain, before anything is started.
func HeedSignals() {
	for _, s := range []os.Signal{unix.SIGINT, unix.SIGHUP} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}
