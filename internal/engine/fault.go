package engine

import (
	"runtime"

	"gomapi/internal/mapierr"
)

// A report takes a text for people.
type report func(format string, args ...any)

// fault reports a panic and returns it as an error. A fault in a driver or function ends the
// call or the device in which it happens, never the daemon.
func (r report) fault(what string, p any) error {
	stack := make([]byte, 8<<10)
	stack = stack[:runtime.Stack(stack, false)]
	r("%s by a fault: %v\n%s", what, p, stack)
	return mapierr.New(mapierr.CouldNotApplyFunction, "%s by a fault of the daemon: %v", what, p)
}

// safely calls f and turns a panic into an error.
func (r report) safely(what string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = r.fault(what+" failed", p)
		}
	}()
	return f()
}

// Ended says that a device has ended with its flows, or a single flow.
type Ended struct {
	Device string
	FD     int32 // the flow; 0: the device
	Err    error // nil at the end of a file
}
