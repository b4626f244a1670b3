package chain

import (
	"runtime"
	"sync/atomic"
)

// A Seqlock lets any goroutine read counts while the capture goroutine moves them from one
// place to another. Its number is odd during a move. There is one per loop.
type Seqlock struct{ number atomic.Uint64 }

// Begin begins a move.
func (s *Seqlock) Begin() { s.number.Add(1) }

// End ends a move.
func (s *Seqlock) End() { s.number.Add(1) }

// Abandon ends a move that a panic interrupted.
func (s *Seqlock) Abandon() {
	if s.number.Load()&1 == 1 {
		s.End()
	}
}

// read calls f until no move has overlapped the call.
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
