package chain

import (
	"sync/atomic"
	"unique"

	"gomapi/flib"
)

// An Instance is a function applied to one flow: the part that packets and references
// need. There are hundreds of thousands of them.
type Instance struct {
	// Live is set while functions that refer to this one may read its result.
	Live    atomic.Bool
	Closing atomic.Bool // must not be reset any more
	// ResetAsked is a request for a reset from a function of another device. The loop
	// serves it before the next packets.
	ResetAsked atomic.Bool
	Def        *flib.Def
	Fn         flib.Function
	// Classifier is Fn if it is a filter. If it comes first in its flow, the classifier
	// decides it together with the other filters of the device.
	Classifier flib.Classifier
	// ShareKey names what the function does: instances with equal keys do the same with
	// each packet. Zero: the function neither decides, adds up nor searches, modifies
	// packets, or is the leading filter.
	ShareKey unique.Handle[string]
	Ring     *flib.Ring // nil: no packet buffer
}

// Accumulator returns the function if it adds up, else nil.
func (a *Instance) Accumulator() flib.Accumulator { s, _ := a.Fn.(flib.Accumulator); return s }

// Searcher returns the function if it searches for a string, else nil.
func (a *Instance) Searcher() flib.Searcher { s, _ := a.Fn.(flib.Searcher); return s }

// Resetter returns the function if it can be reset, else nil.
func (a *Instance) Resetter() flib.Resetter { r, _ := a.Fn.(flib.Resetter); return r }

// Reset resets the function, which may be closed at any moment. Only its capture goroutine
// may call it.
func (a *Instance) Reset() {
	if !a.Closing.Load() {
		a.Resetter().Reset()
	}
}
