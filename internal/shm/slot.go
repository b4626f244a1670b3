package shm

import "sync/atomic"

// A Slot is the result of one function instance, as its writer sees it. It has
// one writer at a time; readers in other processes may look at any moment.
type Slot struct {
	w      []atomic.Uint64 // sequence word, then the result
	size   int
	offset uint32
}

// Offset is the place of the slot in its segment.
func (s *Slot) Offset() uint32 { return s.offset }

// Size is the length of the result in bytes.
func (s *Slot) Size() int { return s.size }

// Set stores a result of one word. Readers see the old or the new value.
func (s *Slot) Set(v uint64) { s.w[1].Store(v) }

// Uint64 returns the first word of the result.
func (s *Slot) Uint64() uint64 { return s.w[1].Load() }

// Word is where Set stores, for a writer that wants to spare the way.
func (s *Slot) Word() *atomic.Uint64 { return &s.w[1] }

// Begin opens a result of several words for writing and returns its bytes,
// valid until End. Readers wait for End and never see what is between.
func (s *Slot) Begin() []byte {
	s.w[0].Add(1)
	return asBytes(s.w[1:])[:s.size]
}

// End publishes what was written since Begin.
func (s *Slot) End() { s.w[0].Add(1) }

// slotTries bounds how often Read looks.
const slotTries = 64

// Read copies the result into dst, which has room for Size bytes, for another
// function in the daemon. It reports false when a writer on another thread is in
// the middle of it and does not get on.
func (s *Slot) Read(dst []byte) bool { return read(dst[:s.size], s.w, slotTries, false) }
