package chain

import (
	"sync/atomic"
	"unique"

	"gomapi/flib"
)

// A Step is one function of a chain.
type Step struct {
	fn flib.Function
	counts
	*Instance
	private *copies // not nil: from this step on the flow works on copies
}

// counts are the books of one function. The capture goroutine adds to them once per
// batch: to packets before the function runs, to the others afterwards.
type counts struct {
	packets atomic.Uint64 // reached the function
	refused atomic.Uint64 // reached the function and did not leave it
	emitted atomic.Uint64 // made by the function
}

// sent counts n packets that went into a function, and out that left it.
func (c *counts) sent(n, out int) {
	switch {
	case out < n:
		c.refused.Add(uint64(n - out))
	case out > n:
		c.emitted.Add(uint64(out - n))
	}
}

// SharedKey returns the share key of the function. It returns false if the function cannot be
// shared: it has a state of its own, or gets private copies of the packets.
func (s *Step) SharedKey() (string, bool) {
	if s.ShareKey == (unique.Handle[string]{}) {
		return "", false
	}
	return s.ShareKey.Value(), s.private == nil
}
