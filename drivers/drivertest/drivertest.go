// Package drivertest is the conformance suite for drivers: it tests the
// contract of package drivers.
//
//	func TestConformance(t *testing.T) {
//	    drivertest.Run(t, func(t *testing.T, f func(drivertest.World)) {
//	        f(drivertest.World{Open: ..., Feed: ..., Is: ...})
//	    })
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

// A World is a device under test with its packet source. Each test gets a new
// World.
type World struct {
	// Open opens the device. Only one device is open at a time.
	Open func() (drivers.Device, error)
	// Feed sends n more packets to the running device, fewer if ctx ends. Any
	// goroutine may call it, one at a time. It is nil for a file, which ends by
	// itself.
	Feed func(ctx context.Context, n int)
	// Queue is how many packets the device receives, and keeps or drops, while
	// its Sink is busy or it does not run. It is 0 if the device receives none
	// then.
	Queue int
	// Packets is how many packets a file holds: at least a thousand, so that a
	// run can be stopped before the end.
	Packets int
	// Is reports whether p is packet number i, counted from 0.
	Is func(i int, p drivers.Packet) bool
}

func (w World) endless() bool { return w.Feed != nil }

var patience = testenv.Patience // tests of the suite shorten it

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

// Run runs the suite. in creates a World for each test and calls its argument
// with it.
func Run(t *testing.T, in func(t *testing.T, f func(World))) {
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			in(t, func(w World) { test(t, w) })
		})
	}
}
