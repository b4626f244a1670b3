// Package drivertest is the conformance suite that every driver passes: what
// the contract of package drivers says, as tests.
//
//	func TestConformance(t *testing.T) {
//		drivertest.Run(t, func(t *testing.T, f func(drivertest.World)) {
//			f(drivertest.World{Open: ..., Feed: ..., Is: ...})
//		})
//	}
//
// It is for tests only.
package drivertest

import (
	"context"
	"testing"

	"gomapi/drivers"
	"gomapi/internal/testenv"
)

// A World is a device under test with what brings it packets. Each test gets a
// new one.
type World struct {
	// Open opens the device. Devices are open one at a time.
	Open func() (drivers.Device, error)
	// Feed makes n more packets come to the device that runs, fewer when ctx
	// ends. Any goroutine may call it, one at a time. A file, which ends by
	// itself, has none.
	Feed func(ctx context.Context, n int)
	// Queue is how many packets the device receives, and keeps or drops, while its
	// Sink is busy or it does not run; 0 when it receives none then.
	Queue int
	// Packets is how many a file holds: a thousand at least, so that there is
	// something to stop.
	Packets int
	// Is reports whether p is the packet number i that came, from 0.
	Is func(i int, p drivers.Packet) bool
}

func (w World) endless() bool { return w.Feed != nil }

const patience = testenv.Patience

// cases are the tests of the suite.
var cases = map[string]func(t *testing.T, w World){
	"open and close leave nothing": openClose,
	"run ends at once":             runEnded,
	"stop when idle":               stopIdle,
	"pause":                        pause,
	"pause again":                  pauseAgain,
	"stop under load":              stopUnderLoad,
	"packets":                      packets,
	"stats":                        stats,
	"close":                        closeTwice,
	"books when stopped":           stoppedBooks,
	"books when never run":         neverRunBooks,
}

// Run runs the suite. in makes a world and calls its argument inside, once for
// each test.
func Run(t *testing.T, in func(t *testing.T, f func(World))) {
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			in(t, func(w World) { test(t, w) })
		})
	}
}
