package chain

import (
	"sync/atomic"
	"unique"

	"gomapi/flib"
)

// An Instance is a function that was applied to one flow, as far as packets and those
// who refer to it are concerned. There are hundred thousands of them.
type Instance struct {
	// Live says that the result may be read by those that refer to it.
	Live    atomic.Bool
	Closing atomic.Bool // it is not to be reset any more
	// ResetAsked is the wish of a function of another device; the loop looks for it
	// before the next packets.
	ResetAsked atomic.Bool
	Def        *flib.Def
	Fn         flib.Function
	// Classifier is Fn if it can be decided with the other filters of the
	// device, which it is when it comes first in its flow.
	Classifier flib.Classifier
	// ShareKey names what it does: instances with one key do the same with each packet.
	// Zero: it decides, adds up and searches nothing, or leads its flow.
	ShareKey unique.Handle[string]
	Ring     *flib.Ring // nil: no packet buffer
}

// Accumulator returns the function if it is one that adds up, else nil.
func (a *Instance) Accumulator() flib.Accumulator { s, _ := a.Fn.(flib.Accumulator); return s }

// Searcher returns the function if it is one that searches for a string, else nil.
func (a *Instance) Searcher() flib.Searcher { s, _ := a.Fn.(flib.Searcher); return s }

// Resetter returns the function if it can be reset, else nil.
func (a *Instance) Resetter() flib.Resetter { r, _ := a.Fn.(flib.Resetter); return r }

// Reset is for the capture goroutine of the function, which may be closed at any
// moment.
func (a *Instance) Reset() {
	if !a.Closing.Load() {
		a.Resetter().Reset()
	}
}
