package chain

import (
	"gomapi/internal/deadline"
	"gomapi/internal/share"
)

// A Host is what the chains of one loop share. The capture goroutine owns it, except where a
// field says otherwise.
type Host struct {
	batch
	// Delivered is how many packets the loop has handed to the chains so far.
	Delivered uint64
	moves     seqlock   // odd while counts move between chains and segments
	deadlines deadlines // of the chains that are not in lockstep
	inStep    deadlines // of those in lockstep
	published []*publication
	// Fault is called when a function has panicked, with the chains that the function
	// runs for. They are closed for the loop already. Fault must Expel each of them.
	Fault func(f *Fault, users []*Chain)
	Meter share.Meter
}

// Abandon ends what a panic interrupted: a move of counts, and metering.
func (h *Host) Abandon() {
	h.moves.abandon()
	h.Meter.Cancel()
}

// deadlines are the functions that want to be called when packet time has reached a moment.
// The capture goroutine owns them. A closed chain leaves when it is due, or with tidy.
type deadlines struct {
	heap  deadline.Heap[*timer]
	again []*timer // called in this Expire
}
