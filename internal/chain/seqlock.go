package chain

import (
	"runtime"
	"sync/atomic"
)

// A Seqlock lets any goroutine read counts that the capture goroutine moves from one
// place to another: its number is odd meanwhile. There is one per loop.
type Seqlock struct{ number atomic.Uint64 }

// Begin and End are around each move.
func (s *Seqlock) Begin() { s.number.Add(1) }

// End is for after Begin.
func (s *Seqlock) End() { s.number.Add(1) }

// Abandon ends a move that a panic has interrupted.
func (s *Seqlock) Abandon() {
	if s.number.Load()&1 == 1 {
		s.End()
	}
}

// read calls f until nothing was moved meanwhile.
func (s *Seqlock) read(f func()) {
	for {
		before := s.number.Load()
		f()
		if before&1 == 0 && s.number.Load() == before {
			return
		}
		runtime.Gosched()
	}
}
