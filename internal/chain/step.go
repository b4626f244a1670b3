package chain

import (
	"sync/atomic"
	"unique"

	"gomapi/flib"
	"gomapi/internal/deadline"
)

// A Step is one function of a chain.
type Step struct {
	fn flib.Function
	counts
	*Instance
	*special // nil: needs nothing of it
}

// counts are the books of one function. The capture goroutine adds to them once per
// batch: to packets before the function runs, to the others afterwards.
type counts struct {
	packets atomic.Uint64 // reached the function
	refused atomic.Uint64 // reached the function and did not leave it; all, if it emits
	emitted atomic.Uint64 // left the function, if it emits
}

// what names the function for people.
func (s *Step) what() string { return "function " + s.Def.Name }

// SharedKey returns the share key of the function. It returns false if the function cannot be
// shared: it has a state of its own, or gets private copies of the packets. A function that
// needs anything special is not shared.
func (s *Step) SharedKey() (string, bool) {
	if s.ShareKey == (unique.Handle[string]{}) {
		return "", false
	}
	return s.ShareKey.Value(), s.special == nil
}

// special is the part of a step that few functions need.
type special struct {
	private *copies // not nil: from this step on the flow works on copies
	emits   bool
	timer   *timer       // not nil: the function has deadlines
	publish *publication // not nil: the function publishes its result
}

// emits reports whether the function may emit packets of its own.
func (s *Step) emits() bool { return s.special != nil && s.special.emits }

// A timer is the place of a function among the deadlines.
type timer struct {
	deadline.Entry[*timer]
	chain *Chain
	step  int
	fn    flib.Expirer
}

// A publication is the result of a function that publishes it on request.
type publication struct {
	chain  *Chain
	step   int
	fn     flib.Publisher
	due    bool // the function has run since it was last asked
	listed bool // in Host.published
}
