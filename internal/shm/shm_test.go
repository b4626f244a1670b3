package shm

import (
	"bytes"
	"encoding/binary"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/testenv"
)

// pair creates a segment and a client's view of it.
func pair(t *testing.T) (*Segment, *View) {
	t.Helper()
	seg, err := NewSegment()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { seg.Close() })
	fd, err := unix.Dup(int(seg.File().Fd()))
	if err != nil {
		t.Fatal(err)
	}
	view, err := NewView(os.NewFile(uintptr(fd), "view"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { view.Close() })
	return seg, view
}

func TestOneWordResult(t *testing.T) {
	seg, view := pair(t)
	slot, err := seg.Slot(8)
	if err != nil {
		t.Fatal(err)
	}
	r, err := view.Reader(slot.Offset(), slot.Size())
	if err != nil {
		t.Fatal(err)
	}
	if v := r.Uint64(); v != 0 {
		t.Errorf("fresh result is %d, want 0", v)
	}
	slot.Set(1<<40 + 7)
	if v := r.Uint64(); v != 1<<40+7 {
		t.Errorf("result is %d, want %d", v, 1<<40+7)
	}
	if n := testing.AllocsPerRun(100, func() { slot.Set(1); r.Uint64() }); n != 0 {
		t.Errorf("%v allocations to set and read", n)
	}
}

func TestWideResultIsNeverTorn(t *testing.T) {
	seg, view := pair(t)
	const size = 256
	slot, err := seg.Slot(size)
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var writer, readers sync.WaitGroup
	writer.Go(func() {
		for v := uint64(1); ; v++ {
			select {
			case <-stop:
				return
			default:
			}
			b := slot.Begin()
			for i := 0; i < size; i += 8 {
				binary.NativeEndian.PutUint64(b[i:], v)
			}
			slot.End()
			runtime.Gosched()
		}
	})
	for range 3 {
		readers.Go(func() {
			r, err := view.Reader(slot.Offset(), size)
			if err != nil {
				t.Error(err)
				return
			}
			dst := make([]byte, size)
			for range 5000 {
				if err := r.Read(dst); err != nil {
					t.Error(err)
					return
				}
				first := binary.NativeEndian.Uint64(dst)
				for i := 8; i < size; i += 8 {
					if v := binary.NativeEndian.Uint64(dst[i:]); v != first {
						t.Errorf("torn: word %d is %d, word 0 is %d", i/8, v, first)
						return
					}
				}
			}
		})
	}
	readers.Wait()
	close(stop)
	writer.Wait()
}

func TestHalfWrittenResultEndsReading(t *testing.T) {
	seg, view := pair(t)
	slot, _ := seg.Slot(16)
	slot.Begin()
	r, _ := view.Reader(slot.Offset(), 16)
	if err := r.Read(make([]byte, 16)); err != ErrBusy {
		t.Errorf("Read gives %v, want ErrBusy", err)
	}
}

// TestReadingIsBounded checks that a result under constant writes does not
// block its reader.
func TestReadingIsBounded(t *testing.T) {
	seg, view := pair(t)
	slot, _ := seg.Slot(MaxResult)
	r, _ := view.Reader(slot.Offset(), MaxResult)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				slot.Begin()
				slot.End()
			}
		}
	})
	testenv.Within(t, "reading", func() {
		if err := r.Read(make([]byte, MaxResult)); err != nil && err != ErrBusy {
			t.Error(err)
		}
	})
	close(stop)
	writer.Wait()
}

func TestOddSizes(t *testing.T) {
	seg, view := pair(t)
	for size := 1; size < 40; size++ {
		slot, _ := seg.Slot(size)
		b := slot.Begin()
		for i := range b {
			b[i] = byte(i + 1)
		}
		slot.End()
		r, _ := view.Reader(slot.Offset(), size)
		got := make([]byte, size)
		if err := r.Read(got); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%d bytes: % x, %v", size, got, err)
		}
	}
}

func TestGrowthKeepsPlaces(t *testing.T) {
	seg, view := pair(t)
	var slots []*Slot
	for i := range 20000 { // 16 bytes each: the segment grows several times
		s, err := seg.Slot(8)
		if err != nil {
			t.Fatal(err)
		}
		s.Set(uint64(i))
		slots = append(slots, s)
	}
	for i, s := range slots {
		r, err := view.Reader(s.Offset(), 8)
		if err != nil {
			t.Fatal(err)
		}
		if v := r.Uint64(); v != uint64(i) {
			t.Fatalf("slot %d holds %d", i, v)
		}
	}
}

func TestFreedPlacesComeBackZero(t *testing.T) {
	seg, _ := pair(t)
	s, _ := seg.Slot(8)
	s.Set(5)
	off := s.Offset()
	seg.FreeSlot(s)
	again, _ := seg.Slot(8)
	if again.Offset() != off {
		t.Errorf("place at %d was not used again, got %d", off, again.Offset())
	}
	if v := again.Uint64(); v != 0 {
		t.Errorf("used place holds %d", v)
	}
}

func TestClientCannotWriteOrResize(t *testing.T) {
	seg, view := pair(t)
	fd := int(seg.File().Fd())
	for name, try := range map[string]func() error{
		"map": func() error {
			_, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			return err
		},
		"protect": func() error { return unix.Mprotect(view.mem, unix.PROT_READ|unix.PROT_WRITE) },
		"write":   func() error { _, err := unix.Pwrite(fd, []byte{1}, 0); return err },
		"shrink":  func() error { return unix.Ftruncate(fd, 0) },
		"grow":    func() error { return unix.Ftruncate(fd, MaxSegment) },
		"hole":    func() error { return unix.Madvise(view.mem[:4096], unix.MADV_REMOVE) },
		"seal":    func() error { _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE); return err },
	} {
		if try() == nil {
			t.Errorf("%s was granted", name)
		}
	}
	st, err := seg.File().Stat()
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: others could open it for writing", st.Mode(), err)
	}
}

func TestViewRefusesPlacesOutside(t *testing.T) {
	_, view := pair(t)
	for _, c := range []struct {
		offset uint32
		size   int
	}{{firstSize, 8}, {firstSize - 8, 8}, {4, 8}, {0xfffffff8, 8}, {8, -1}, {8, 0}, {8, MaxResult + 1}, {8, firstSize}} {
		if _, err := view.Reader(c.offset, c.size); err == nil {
			t.Errorf("offset %d size %d was accepted", c.offset, c.size)
		}
	}
}

func TestViewRefusesUnsealedMemory(t *testing.T) {
	fd, err := unix.MemfdCreate("plain", unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "plain")
	defer f.Close()
	if _, err := NewView(f); err == nil {
		t.Error("memory that can shrink was accepted")
	}
}

func TestSegmentIsBounded(t *testing.T) {
	seg, _ := pair(t)
	for range MaxSegment/MaxResult + 1 {
		if _, err := seg.Slot(MaxResult); err != nil {
			return
		}
	}
	t.Error("more results than MaxSegment were given out")
}

func BenchmarkRead(b *testing.B) {
	seg, err := NewSegment()
	if err != nil {
		b.Fatal(err)
	}
	defer seg.Close()
	fd, _ := unix.Dup(int(seg.File().Fd()))
	view, err := NewView(os.NewFile(uintptr(fd), "view"))
	if err != nil {
		b.Fatal(err)
	}
	slot, _ := seg.Slot(8)
	r, _ := view.Reader(slot.Offset(), 8)
	b.ReportAllocs()
	for b.Loop() {
		r.Uint64()
	}
}

func BenchmarkReadWide(b *testing.B) {
	dst, w := make([]byte, 128<<10), make([]atomic.Uint64, 16<<10+1)
	b.SetBytes(int64(len(dst)))
	for b.Loop() {
		if !read(dst, w, 1, false) {
			b.Fatal("busy")
		}
	}
}

// taken returns the memory that the file of a segment takes, in bytes.
func taken(t *testing.T, f *os.File) int64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	return st.Blocks * 512
}

// TestClosedSegmentTakesNoMemory: a client keeps descriptor and mapping.
func TestClosedSegmentTakesNoMemory(t *testing.T) {
	seg, view := pair(t)
	slot, _ := seg.Slot(MaxResult)
	slot.Begin()[MaxResult-1] = 7
	for b, i := slot.Begin(), 0; i < len(b); i += 512 {
		b[i] = 7
	}
	slot.End()
	place, _ := seg.Flow()
	place.SetStatus(1)
	r, _ := view.Reader(slot.Offset(), MaxResult)
	f, _ := view.Flow(place.Offset())
	if got := taken(t, view.file); got < MaxResult || f.Status() != 1 {
		t.Fatalf("the segment takes %d bytes, status %d", got, f.Status())
	}
	if err := seg.Close(); err != nil {
		t.Fatal(err)
	}
	if got := taken(t, view.file); got != 0 {
		t.Errorf("it takes %d bytes after the close", got)
	}
	dst := make([]byte, MaxResult)
	if err := r.Read(dst); err != nil || !bytes.Equal(dst, make([]byte, MaxResult)) {
		t.Errorf("reading gives %v, or not zeros", err)
	}
	if f.Status() != 3 {
		t.Errorf("status is %d, want closed", f.Status())
	}
}

// TestLeftSegmentStays for programs that outlive the daemon.
func TestLeftSegmentStays(t *testing.T) {
	seg, view := pair(t)
	slot, _ := seg.Slot(8)
	slot.Set(5)
	r, _ := view.Reader(slot.Offset(), 8)
	if err := seg.Leave(); err != nil {
		t.Fatal(err)
	}
	seg.Close()
	if r.Uint64() != 5 {
		t.Errorf("the result is %d, want 5", r.Uint64())
	}
}

// TestFreedPagesAreTakenBack: a large result that is freed takes no memory, and its place
// can be used again.
func TestFreedPagesAreTakenBack(t *testing.T) {
	seg, view := pair(t)
	before, _ := seg.Slot(8)
	slot, _ := seg.Slot(MaxResult)
	after, _ := seg.Slot(8)
	before.Set(3)
	after.Set(4)
	fill := func(s *Slot) {
		copy(s.Begin(), bytes.Repeat([]byte{7}, MaxResult))
		s.End()
	}
	fill(slot)
	seg.FreeSlot(slot)
	if got := taken(t, view.file); got > 4*int64(os.Getpagesize()) {
		t.Errorf("without its result the segment takes %d bytes", got)
	}
	again, _ := seg.Slot(MaxResult)
	if again.Offset() != slot.Offset() {
		t.Error("the place is not used again")
	}
	fill(again)
	if before.Uint64() != 3 || after.Uint64() != 4 {
		t.Error("the neighbours have changed")
	}
}

// TestScribbledSlot: root has written everywhere in a segment. The daemon's reader gives up,
// and the next write is right again.
func TestScribbledSlot(t *testing.T) {
	seg, view := pair(t)
	slot, _ := seg.Slot(16)
	slot.w[0].Store(1<<63 + 1) // an odd number, for ever
	dst := make([]byte, 16)
	testenv.Within(t, "reading in the daemon", func() {
		if slot.Read(dst) {
			t.Error("a result that is half written was read")
		}
	})
	slot.Abandon()
	copy(slot.Begin(), "sixteen bytes...")
	slot.End()
	r, _ := view.Reader(slot.Offset(), 16)
	if err := r.Read(dst); err != nil || string(dst) != "sixteen bytes..." {
		t.Errorf("%q, %v", dst, err)
	}
}

// TestFreedSmallResultsAreTakenBack: results smaller than a page that are freed take no memory
// beyond that of a new segment, and what is left of their pages stays.
func TestFreedSmallResultsAreTakenBack(t *testing.T) {
	seg, view := pair(t)
	const size, n = 1000, 4000 // four in a page, and some across two
	var slots []*Slot
	for i := range n {
		s, err := seg.Slot(size)
		if err != nil {
			t.Fatal(err)
		}
		s.Set(uint64(i + 1))
		slots = append(slots, s)
	}
	if got := taken(t, view.file); got < size*n {
		t.Fatalf("%d results of %d bytes take %d bytes", n, size, got)
	}
	kept := slots[n/2]
	for _, s := range slots {
		if s != kept {
			seg.FreeSlot(s)
		}
	}
	if got, most := taken(t, view.file), int64(firstSize+2*os.Getpagesize()); got > most {
		t.Errorf("one result takes %d bytes, not at most %d", got, most)
	}
	if got := kept.Uint64(); got != n/2+1 {
		t.Errorf("the result that is left is %d", got)
	}
	for range n - 1 { // the places are used again
		s, err := seg.Slot(size)
		if err != nil || s.Uint64() != 0 {
			t.Fatalf("a new result is %d, %v", s.Uint64(), err)
		}
	}
	if last := slots[n-1]; seg.used != int(last.offset)+wordSize*len(last.w) {
		t.Error("the segment has grown")
	}
}

// TestHeadStays frees a large result that begins in the page of the head: the memory is not
// taken for that of a connection that has ended.
func TestHeadStays(t *testing.T) {
	s, v := pair(t)
	large, err := s.Slot(64 << 10)
	if err != nil {
		t.Fatal(err)
	}
	s.FreeSlot(large)
	if v.gone() {
		t.Error("the head is gone with the first result")
	}
}
