package ring

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"sync"
	"testing"
)

// series returns both sides of a series of n entries of size bytes.
func series(t testing.TB, size, n int) (*Writer, *Reader) {
	t.Helper()
	w, err := NewSeries(size, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	r, err := Open(received(t, w)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return w, r
}

// entry returns the bytes n, n+1 and so on.
func entry(n uint64, size int) []byte {
	var b []byte
	for i := range size / align {
		b = binary.NativeEndian.AppendUint64(b, n+uint64(i))
	}
	return b
}

func TestSeriesInOrder(t *testing.T) {
	w, r := series(t, 16, 1000)
	for n := range uint64(1000) {
		w.Append(entry(n, 16))
	}
	w.Flush()
	for n := range uint64(1000) {
		p, err := r.Next(bounded(t))
		if err != nil || string(p.Data) != string(entry(n, 16)) {
			t.Fatalf("entry %d: %x, %v", n, p.Data, err)
		}
	}
	if _, ok, err := r.TryNext(); ok || err != nil {
		t.Errorf("one more: %v, %v", ok, err)
	}
	w.End()
	if _, err := r.Next(bounded(t)); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	if r.Lost() != 0 || w.Shown() != (Counts{Written: 1000}) {
		t.Errorf("lost %d, %+v", r.Lost(), w.Shown())
	}
}

func TestShortEntriesAreFilledUp(t *testing.T) {
	w, r := series(t, 9, 10) // 16
	w.Append([]byte{1})
	w.Flush()
	p, err := r.Next(bounded(t))
	if err != nil || len(p.Data) != 16 || p.Data[0] != 1 || string(p.Data[1:]) != string(make([]byte, 15)) {
		t.Errorf("%x, %v", p.Data, err)
	}
}

// TestSlowReaderOfASeries misses the oldest entries and is told how many.
func TestSlowReaderOfASeries(t *testing.T) {
	w, r := series(t, 16, 1000)
	const all = 100_000
	for n := range uint64(all) {
		w.Append(entry(n, 16))
	}
	w.Flush()
	p, err := r.Next(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	first := binary.NativeEndian.Uint64(p.Data)
	if r.Lost() != first || first > all-1000 {
		t.Errorf("first is %d, lost %d", first, r.Lost())
	}
	last := first
	for {
		p, ok, err := r.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		if n := binary.NativeEndian.Uint64(p.Data); n != last+1 {
			t.Fatalf("%d after %d", n, last)
		}
		last++
	}
	if last != all-1 {
		t.Errorf("last is %d", last)
	}
}

// TestSeriesIsNeverTorn reads while the writer overwrites. Each entry must be whole and
// in order, and every gap must be counted.
func TestSeriesIsNeverTorn(t *testing.T) {
	w, r := series(t, 64, 8)
	const all = 300_000
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() {
		for n := range uint64(all) {
			w.Append(entry(n, 64))
			if n%16 == 0 {
				w.Flush()
			}
		}
		w.End()
	})
	next, missed := uint64(0), uint64(0)
	for {
		p, err := r.Next(bounded(t))
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n := binary.NativeEndian.Uint64(p.Data)
		if string(p.Data) != string(entry(n, 64)) || n < next {
			t.Fatalf("entry %x after %d", p.Data, next)
		}
		missed += n - next
		next = n + 1
	}
	missed += all - next
	if missed != r.Lost() {
		t.Errorf("missed %d, counted %d", missed, r.Lost())
	}
}

func TestSeriesDoesNotAllocate(t *testing.T) {
	w, r := series(t, 40, 40)
	e := entry(1, 40)
	ctx := bounded(t)
	if n := testing.AllocsPerRun(1000, func() {
		w.Append(e)
		w.Flush()
		if _, err := r.Next(ctx); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestLeftOutEntries are lost, and the available entries stay.
func TestLeftOutEntries(t *testing.T) {
	w, r := series(t, 16, 1000)
	w.Append(entry(1, 16))
	w.LeaveOut(1 << 40)
	w.Append(entry(2, 16))
	w.Flush()
	for n := range uint64(2) {
		p, err := r.Next(bounded(t))
		if err != nil || string(p.Data) != string(entry(n+1, 16)) {
			t.Fatalf("entry %d: %x, %v", n, p.Data, err)
		}
	}
	if r.Lost() != 1<<40 || r.Written() != 2 {
		t.Errorf("lost %d, written %d", r.Lost(), r.Written())
	}
	w.LeaveOut(math.MaxUint64)
	w.End()
	if r.Lost() != math.MaxUint64 {
		t.Errorf("lost %d", r.Lost())
	}
}
