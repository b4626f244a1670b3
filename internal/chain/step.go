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
	private *copies // not nil: from here on the flow works on copies
}

// counts are the books of one function. The capture goroutine adds once per
// batch: packets before the function sees them, the rest afterwards.
type counts struct {
	packets atomic.Uint64 // reached the function
	refused atomic.Uint64 // of packets, held back: the function did not return them
	emitted atomic.Uint64 // made besides
}

// sent counts what a function made of n packets.
func (c *counts) sent(n, out int) {
	switch {
	case out < n:
		c.refused.Add(uint64(n - out))
	case out > n:
		c.emitted.Add(uint64(out - n))
	}
}

// SharedKey returns the share key of the function. It reports false for those that have a
// state of their own, or get packets that are not the originals.
func (s *Step) SharedKey() (string, bool) {
	if s.ShareKey == (unique.Handle[string]{}) {
		return "", false
	}
	return s.ShareKey.Value(), s.private == nil
}
