package shm

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"gomapi/internal/memfile"
)

const firstSize = 64 << 10 // bytes of a new segment; it doubles when full

var pageSize = os.Getpagesize()

// A Segment is the daemon's side of one connection's results. Only one
// goroutine at a time may call its methods; other goroutines may write to its
// slots meanwhile. No slot may be used after Close.
type Segment struct {
	file *os.File // for reading only
	mem  []byte   // MaxSegment bytes of address space, of which the file backs size
	w    []atomic.Uint64
	size int
	used int           // bytes allocated so far
	free map[int][]int // size in words -> offsets of free blocks
	live []uint16      // by page: allocated blocks that touch it
}

// NewSegment creates an empty segment.
func NewSegment() (*Segment, error) {
	s := &Segment{size: firstSize, used: headSize, free: make(map[int][]int)}
	file, mem, err := memfile.Create("mapi-results", firstSize, MaxSegment, unix.PROT_READ|unix.PROT_WRITE, 0)
	if err != nil {
		return nil, err
	}
	if s.file, err = memfile.ReadOnly(file); err != nil {
		_ = unix.Munmap(mem)
		return nil, err
	}
	s.mem, s.w = mem, asWords(mem)
	s.w[magicOffset/wordSize].Store(Magic)
	s.hold(0, headSize/wordSize) // its page is never taken back
	return s, nil
}

// File returns the memory file for the client. The segment owns it.
func (s *Segment) File() *os.File { return s.file }

// Slot allocates a zeroed slot for a result of size bytes.
func (s *Segment) Slot(size int) (*Slot, error) {
	if size <= 0 || size > MaxResult {
		return nil, fmt.Errorf("a result of %d bytes is outside the range 1 to %d", size, MaxResult)
	}
	n := slotHead/wordSize + words(size)
	off, err := s.alloc(n)
	if err != nil {
		return nil, err
	}
	first := off / wordSize
	return &Slot{w: s.w[first : first+n : first+n], size: size, offset: uint32(off)}, nil
}

// FreeSlot frees a slot. Nobody may write to it afterwards.
func (s *Segment) FreeSlot(slot *Slot) { s.release(int(slot.offset), len(slot.w)) }

// Flow allocates a zeroed flow state.
func (s *Segment) Flow() (*Flow, error) {
	off, err := s.alloc(flowSize / wordSize)
	if err != nil {
		return nil, err
	}
	first := off / wordSize
	return &Flow{w: s.w[first : first+flowSize/wordSize], offset: uint32(off)}, nil
}

// FreeFlow frees the state of a flow.
func (s *Segment) FreeFlow(f *Flow) { s.release(int(f.offset), len(f.w)) }

// Close takes the memory back, whatever clients keep of it. Close may be called
// more than once, and after Leave.
func (s *Segment) Close() error {
	if s.mem == nil {
		return nil
	}
	s.w[magicOffset/wordSize].Store(0) // before the first result becomes 0
	return errors.Join(memfile.TakeBack(s.mem[:s.size]), s.Leave())
}

// Leave releases the daemon's mapping and leaves the memory to the client. It is
// for the end of the process.
func (s *Segment) Leave() error {
	if s.mem == nil {
		return nil
	}
	_ = unix.Munmap(s.mem) // fails only if it is not a mapping
	s.mem, s.w = nil, nil
	return s.file.Close()
}

// alloc allocates n words and returns their offset in bytes.
func (s *Segment) alloc(n int) (int, error) {
	if list := s.free[n]; len(list) > 0 {
		off := list[len(list)-1]
		s.free[n] = list[:len(list)-1]
		for i := range n {
			s.w[off/wordSize+i].Store(0)
		}
		s.hold(off, n)
		return off, nil
	}
	end := s.used + n*wordSize
	if end > MaxSegment {
		return 0, fmt.Errorf("results of this connection need more than %d MiB: close some flows", MaxSegment>>20)
	}
	for end > s.size {
		if err := s.grow(min(max(2*s.size, firstSize), MaxSegment)); err != nil {
			return 0, err
		}
	}
	off := s.used
	s.used = end
	s.hold(off, n)
	return off, nil
}

// hold counts a block in its pages.
func (s *Segment) hold(off, n int) {
	first, end := pages(off, n)
	if more := end - len(s.live); more > 0 {
		s.live = append(s.live, make([]uint16, more)...)
	}
	for p := first; p < end; p++ {
		s.live[p]++
	}
}

// release frees n words and takes back the memory of pages that no other block touches. Small
// blocks leave the pages of a new segment: a program with few flows uses them again and again.
func (s *Segment) release(off, n int) {
	s.free[n] = append(s.free[n], off)
	first, end := pages(off, n)
	for p := first; p < end; p++ {
		s.live[p]--
	}
	if n*wordSize < pageSize {
		first = max(first, firstSize/pageSize)
	}
	for first < end && s.live[first] > 0 {
		first++
	}
	for first < end && s.live[end-1] > 0 {
		end--
	}
	if first < end {
		_ = memfile.TakeBack(s.mem[first*pageSize : end*pageSize]) // otherwise Close takes it back
	}
}

// pages returns the pages that a block touches, from first to before end.
func pages(off, n int) (first, end int) {
	return off / pageSize, (off + n*wordSize + pageSize - 1) / pageSize
}

func (s *Segment) grow(size int) error {
	if err := memfile.Grow(s.file, size); err != nil {
		return err
	}
	s.size = size
	return nil
}

// A Flow is the state of a flow, written by the daemon.
type Flow struct {
	w      []atomic.Uint64
	offset uint32
}

// Offset is the offset of the state in its segment.
func (f *Flow) Offset() uint32 { return f.offset }

// SetStatus stores the status of the flow, a number of the API.
func (f *Flow) SetStatus(status uint64) { f.w[flowStatus/wordSize].Store(status) }

// SetStart stores the time of connect in nanoseconds since 1970.
func (f *Flow) SetStart(ns int64) { f.w[flowStart/wordSize].Store(uint64(ns)) }

// SetEnd stores the time at which the device ended, in nanoseconds since 1970.
func (f *Flow) SetEnd(ns int64) { f.w[flowEnd/wordSize].Store(uint64(ns)) }
