package shm

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A View is a client's read-only mapping of a segment. It stays mapped while a
// Reader or the View itself is in use, so a read never faults. When the daemon
// ends the connection it takes the memory back, and all reads give 0. Any
// goroutine may use a View.
type View struct {
	file *os.File
	mem  []byte
	w    []atomic.Uint64
}

// NewView maps the segment in file. It closes the file when the view is no
// longer in use. It rejects memory that its owner could shrink.
func NewView(file *os.File) (*View, error) {
	seals, err := unix.FcntlInt(file.Fd(), unix.F_GET_SEALS, 0)
	if err != nil {
		return nil, fmt.Errorf("get the seals of result memory: %w", err)
	}
	if seals&unix.F_SEAL_SHRINK == 0 {
		return nil, errors.New("result memory is not sealed against shrinking")
	}
	mem, err := unix.Mmap(int(file.Fd()), 0, MaxSegment, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map result memory: %w", err)
	}
	v := &View{file: file, mem: mem, w: asWords(mem)}
	runtime.AddCleanup(v, func(mem []byte) { unix.Munmap(mem) }, mem)
	if err := v.check(0, headSize); err != nil {
		return nil, err
	}
	if m := v.w[magicOffset/wordSize].Load(); m != Magic {
		return nil, fmt.Errorf("result memory begins with %#x instead of %#x", m, Magic)
	}
	return v, nil
}

// Reader returns a reader of the slot at offset with a result of size bytes.
func (v *View) Reader(offset uint32, size int) (*Reader, error) {
	if size <= 0 || size > MaxResult {
		return nil, fmt.Errorf("a result of %d bytes is outside the range 1 to %d", size, MaxResult)
	}
	n := slotHead/wordSize + words(size)
	w, err := v.place(offset, n)
	if err != nil {
		return nil, err
	}
	return &Reader{view: v, w: w, size: size}, nil
}

// Flow returns a reader of the flow state at offset.
func (v *View) Flow(offset uint32) (*FlowReader, error) {
	w, err := v.place(offset, flowSize/wordSize)
	if err != nil {
		return nil, err
	}
	return &FlowReader{view: v, w: w}, nil
}

func (v *View) place(offset uint32, n int) ([]atomic.Uint64, error) {
	if err := v.check(offset, n*wordSize); err != nil {
		return nil, err
	}
	first := int(offset) / wordSize
	return v.w[first : first+n : first+n], nil
}

// check checks that size bytes at offset exist. The segment never shrinks, so
// they exist from then on.
func (v *View) check(offset uint32, size int) error {
	st, err := v.file.Stat()
	if err != nil {
		return fmt.Errorf("get the size of result memory: %w", err)
	}
	end := int64(offset) + int64(size)
	if offset%wordSize != 0 || end > st.Size() || end > int64(len(v.mem)) {
		return fmt.Errorf("result at offset %d of %d bytes lies outside the result memory of %d bytes", offset, size, st.Size())
	}
	return nil
}

// gone reports whether what was read before may be 0 because the daemon has
// ended the connection.
func (v *View) gone() bool { return v.w[magicOffset/wordSize].Load() != Magic }

// Close closes the file. The mapping lives as long as its readers.
func (v *View) Close() error { return v.file.Close() }

// A Reader reads one function's result. Any goroutine may use it.
type Reader struct {
	view *View // keeps the mapping
	w    []atomic.Uint64
	size int
}

// Size is the length of the result in bytes.
func (r *Reader) Size() int { return r.size }

// Uint64 returns the first word of the result, 0 if the daemon has ended the
// connection; then FlowReader.Status, called afterwards, says so.
func (r *Reader) Uint64() uint64 {
	v := r.w[1].Load()
	runtime.KeepAlive(r.view)
	return v
}

// maxTries is how often a reader tries during one write. These tries take far
// longer than the microseconds of a write.
const maxTries = 1 << 20

// ErrBusy says that a result could not be read: it is half written, because the
// daemon was stopped or killed during the write, or no gap between two writes
// was long enough for a copy within one second.
var ErrBusy = errors.New("result remains half written: the daemon was stopped or killed, or writes it too often to be read; try again")

// Read copies the result into dst, which has room for Size bytes. The copy is
// never torn, but is 0 in the same case as that of Uint64.
func (r *Reader) Read(dst []byte) error {
	defer runtime.KeepAlive(r.view)
	if !read(dst[:r.size], r.w, maxTries, true) {
		return ErrBusy
	}
	return nil
}

// A FlowReader reads the state of one flow. Any goroutine may use it.
type FlowReader struct {
	view *View // keeps the mapping
	w    []atomic.Uint64
}

// Status returns the status of the flow, a number of the API: 3, closed, if the
// daemon has ended the connection.
func (f *FlowReader) Status() uint64 {
	status := f.load(flowStatus)
	if f.view.gone() {
		return flowClosed
	}
	return status
}

// Start returns the time of connect in nanoseconds since 1970, 0 before.
func (f *FlowReader) Start() int64 { return int64(f.load(flowStart)) }

// End returns the time at which the device ended in nanoseconds since 1970, 0
// before.
func (f *FlowReader) End() int64 { return int64(f.load(flowEnd)) }

func (f *FlowReader) load(offset int) uint64 {
	v := f.w[offset/wordSize].Load()
	runtime.KeepAlive(f.view)
	return v
}
