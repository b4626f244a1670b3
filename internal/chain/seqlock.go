package chain

import (
	"runtime"
	"sync/atomic"
)

// A seqlock lets any goroutine read counts while the capture goroutine moves them from one
// place to another. Its number is odd during a move. There is one per loop.
type seqlock struct{ number atomic.Uint64 }

// begin begins a move.
func (s *seqlock) begin() { s.number.Add(1) }

// end ends a move.
func (s *seqlock) end() { s.number.Add(1) }

// abandon ends a move that a panic interrupted.
func (s *seqlock) abandon() {
	if s.number.Load()&1 == 1 {
		s.end()
	}
}

// read calls f until no move has overlapped the call.
func (s *seqlock) read(f func()) {
	for {
		before := s.number.Load()
		f()
		if before&1 == 0 && s.number.Load() == before {
			return
		}
		runtime.Gosched()
	}
}
