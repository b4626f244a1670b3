package chain

import "sync/atomic"

// passing is the state of a chain that the loop passes by from time to time, because the flows
// of its user take too much time.
type passing struct {
	pending atomic.Int32  // how often the control side has asked for it and the loop has not done it yet
	from    atomic.Uint64 // packets that the loop had delivered when it began
	// missed counts the packets of former times, and those for which there was no time left
	// in a batch. unserved counts packets that shared functions of the chain have processed
	// and for which then no time was left.
	missed, unserved atomic.Uint64
}
