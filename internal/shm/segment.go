package shm

import (
	"fmt"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

const firstSize = 64 << 10 // bytes of a new segment; it doubles when full

// A Segment is the daemon's side of one connection's results. Only one
// goroutine at a time may call its methods; other goroutines may write to its
// slots meanwhile. No slot may be used after Close.
type Segment struct {
	file *os.File
	mem  []byte // MaxSegment bytes of address space, of which the file backs size
	w    []atomic.Uint64
	size int
	used int           // bytes allocated so far
	free map[int][]int // size in words -> offsets of free blocks
}

// NewSegment creates an empty segment.
func NewSegment() (_ *Segment, err error) {
	fd, err := unix.MemfdCreate("mapi-results", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("create result memory: %w", err)
	}
	s := &Segment{file: os.NewFile(uintptr(fd), "mapi-results"), used: headSize, free: make(map[int][]int)}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := s.grow(firstSize); err != nil {
		return nil, err
	}
	// Map the whole address range at once: the seal against further writable
	// mappings must be set before the client gets the file.
	s.mem, err = unix.Mmap(fd, 0, MaxSegment, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map result memory: %w", err)
	}
	s.w = asWords(s.mem)
	const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_FUTURE_WRITE
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return nil, fmt.Errorf("seal result memory: %w", err)
	}
	s.w[magicOffset/wordSize].Store(Magic)
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

// Close releases the daemon's mapping. Clients keep theirs. Close may be called
// more than once.
func (s *Segment) Close() error {
	if s.mem != nil {
		unix.Munmap(s.mem)
		s.mem, s.w = nil, nil
	}
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
	return off, nil
}

func (s *Segment) release(off, n int) { s.free[n] = append(s.free[n], off) }

func (s *Segment) grow(size int) error {
	if err := s.file.Truncate(int64(size)); err != nil {
		return fmt.Errorf("grow result memory to %d bytes: %w", size, err)
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
