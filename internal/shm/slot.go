package shm

import "sync/atomic"

// A Slot is the result of one function instance, for its writer. It has one
// writer at a time; readers in other processes may read at any time.
type Slot struct {
	w      []atomic.Uint64 // sequence word, then the result
	seq    uint64          // the sequence word, which is stored but not believed
	size   int
	offset uint32
}

// Offset is the offset of the slot in its segment.
func (s *Slot) Offset() uint32 { return s.offset }

// Size is the length of the result in bytes.
func (s *Slot) Size() int { return s.size }

// Set stores a result of one word. Readers see the old or the new value.
func (s *Slot) Set(v uint64) { s.w[1].Store(v) }

// Uint64 returns the first word of the result.
func (s *Slot) Uint64() uint64 { return s.w[1].Load() }

// Word is the word that Set stores to, for a writer that avoids the call.
func (s *Slot) Word() *atomic.Uint64 { return &s.w[1] }

// Begin starts a write of several words and returns the bytes of the result,
// valid until End. Readers wait for End and never see a partial result.
func (s *Slot) Begin() []byte {
	s.seq++
	s.w[0].Store(s.seq)
	return asBytes(s.w[1:])[:s.size]
}

// End publishes the bytes written since Begin.
func (s *Slot) End() {
	s.seq++
	s.w[0].Store(s.seq)
}

// Abandon ends a write that a panic has interrupted, so that readers do not wait for its end.
// Only the goroutine of the writer may call it.
func (s *Slot) Abandon() {
	if s.seq&1 == 1 {
		s.End()
	}
}

// slotTries is the maximum number of tries of Slot.Read.
const slotTries = 64

// Read copies the result into dst, which has room for Size bytes, for another
// function in the daemon. It returns false if a writer on another thread is in
// the middle of a write and does not finish, or root has written there.
func (s *Slot) Read(dst []byte) bool { return read(dst[:s.size], s.w, slotTries, false) }
