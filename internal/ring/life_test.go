package ring

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// allocated returns the memory that an open file takes, in bytes.
func allocated(t *testing.T, f *os.File) int64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	return st.Blocks * 512
}

// kinds makes a full ring of each kind.
var kinds = map[string]func(t *testing.T) *Writer{
	"packets": func(t *testing.T) *Writer {
		w := packets(t, 1<<20)
		fill(w)
		return w
	},
	"records": func(t *testing.T) *Writer {
		w, err := NewRecords(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		for w.Record(Record{TS: 1, Kind: 2, Data: make([]byte, 1000)}) {
		}
		w.Flush()
		return w
	},
	"series": func(t *testing.T) *Writer {
		w, err := NewSeries(64, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		for range 20_000 {
			w.Append(bytes.Repeat([]byte{7}, 64))
		}
		w.Flush()
		return w
	},
}

// TestClosedRingTakesNoMemory: a client keeps descriptors and mappings of a ring. When the
// ring is closed it takes no memory, and the mappings read as zeros.
func TestClosedRingTakesNoMemory(t *testing.T) {
	for name, full := range kinds {
		t.Run(name, func(t *testing.T) {
			w := full(t)
			size := int64(w.Capacity())
			files := received(t, w)
			kept := duplicates(t, files[:2])
			defer kept[0].Close()
			defer kept[1].Close()
			r, err := Open(files...)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			p, _, err := r.TryNext()
			if err != nil {
				t.Fatal(err)
			}
			if got := allocated(t, kept[0]); got < size {
				t.Fatalf("a full ring of %d bytes takes %d", size, got)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			for i, f := range kept {
				if got := allocated(t, f); got != 0 {
					t.Errorf("file %d takes %d bytes after the close", i, got)
				}
			}
			if name != "series" && !bytes.Equal(p.Data, make([]byte, len(p.Data))) {
				t.Error("a packet taken before is still there")
			}
			if name == "series" && p.Data[0] != 7 {
				t.Error("an entry that was copied has gone")
			}
			mustBeEmpty(t, r, ErrGone)
		})
	}
}

// TestCountsOutliveTheRing: the counts of a reader do not become zeros.
func TestCountsOutliveTheRing(t *testing.T) {
	w, r := pair(t, 0)
	n := fill(w)
	w.Flush()
	want := Counts{Written: n, Full: 1}
	if got := r.Counts(); got != want {
		t.Fatalf("%+v, want %+v", got, want)
	}
	w.Write(numbered(1, 1000))
	w.Flush()
	r.Close()
	w.Close()
	want.Full++
	if got := r.Counts(); got != want || r.Lost() != 2 || w.Shown() != want {
		t.Errorf("reader %+v, writer %+v, want %+v", got, w.Shown(), want)
	}
}

// TestZerosAreNoPackets closes rings while they are read. The reader gets packets or
// ErrGone, never zeros for a packet, and never damage.
func TestZerosAreNoPackets(t *testing.T) {
	for name, read := range map[string]func(*Reader, func(Packet)) error{
		"next": func(r *Reader, take func(Packet)) error {
			p, err := r.Next(t.Context())
			if err == nil {
				take(p)
			}
			return err
		},
		"batch": func(r *Reader, take func(Packet)) error {
			var dst [64]Packet
			n, err := r.NextBatch(t.Context(), dst[:])
			for _, p := range dst[:n] {
				take(p)
			}
			return err
		},
		"all": func(r *Reader, take func(Packet)) error {
			return r.TakeAll(func(p Packet) bool { take(p); return true })
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range 50 {
				closeWhileReading(t, packets(t, 1<<20), func(r *Reader) error {
					return read(r, func(p Packet) {
						if p.TS != 5 || p.Wlen != 5 || len(p.Data) != 100 {
							t.Errorf("a packet of time %d, %d bytes on the wire and %d captured", p.TS, p.Wlen, len(p.Data))
						}
					})
				}, func(w *Writer) { w.Write(numbered(5, 100)) })
			}
		})
	}
	t.Run("series", func(t *testing.T) {
		entry := bytes.Repeat([]byte{7}, 64)
		for range 50 {
			w, err := NewSeries(len(entry), 10_000)
			if err != nil {
				t.Fatal(err)
			}
			closeWhileReading(t, w, func(r *Reader) error {
				p, err := r.Next(t.Context())
				if err == nil && !bytes.Equal(p.Data, entry) {
					t.Errorf("an entry % x", p.Data)
				}
				return err
			}, func(w *Writer) { w.Append(entry) })
		}
	})
}

// closeWhileReading closes w while another goroutine reads.
func closeWhileReading(t *testing.T, w *Writer, read func(*Reader) error, write func(*Writer)) {
	t.Helper()
	for range 9000 {
		write(w)
	}
	w.Flush()
	r, err := Open(received(t, w)...)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	begun := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		for n := 0; err == nil && !t.Failed(); n++ {
			if err = read(r); n == 0 {
				close(begun)
			}
		}
	})
	<-begun
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	reader.Wait()
	if !errors.Is(err, ErrGone) {
		t.Errorf("reading ends with %v, want ErrGone", err)
	}
}

// scribble maps the file of a ring writable, as root can, and fills it with garbage again
// and again until stop is called.
func scribble(t *testing.T, f *os.File) (stop func()) {
	t.Helper()
	again, err := os.OpenFile(fmt.Sprint("/proc/self/fd/", f.Fd()), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	st, err := again.Stat()
	if err != nil {
		t.Fatal(err)
	}
	mem, err := unix.Mmap(int(again.Fd()), 0, int(st.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	words, done := asWords(mem), make(chan struct{})
	var scribbler sync.WaitGroup
	scribbler.Go(func() {
		for rnd := rand.New(rand.NewPCG(1, 2)); ; {
			select {
			case <-done:
				return
			default:
				words[rnd.IntN(headSize/align)].Store(rnd.Uint64())
				words[rnd.IntN(32)].Store(rnd.Uint64N(4))
			}
		}
	})
	return func() {
		close(done)
		scribbler.Wait()
		unix.Munmap(mem)
	}
}

// TestScribbledHead lets root write garbage over the file that only the writer should
// write. All that the writer says of itself stays right.
func TestScribbledHead(t *testing.T) {
	const n = 100_000
	entry := make([]byte, 64)
	for name, c := range map[string]struct {
		make  func() (*Writer, error)
		write func(*Writer, uint64)
		lost  bool
	}{
		"packets": {func() (*Writer, error) { return New(0) }, func(w *Writer, i uint64) { w.Write(numbered(i, 60)) }, true},
		"records": {func() (*Writer, error) { return NewRecords(0) }, func(w *Writer, i uint64) { w.Record(Record{TS: i, Data: entry}) }, true},
		"series":  {func() (*Writer, error) { return NewSeries(len(entry), 1000) }, func(w *Writer, _ uint64) { w.Append(entry) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := c.make()
			if err != nil {
				t.Fatal(err)
			}
			entries := uint64(len(w.ring)) / max(w.entry, 1)
			stop := scribble(t, w.Files()[0])
			for i := range uint64(n) {
				c.write(w, i)
				if i%64 == 0 {
					w.Flush()
					w.Unread()
				}
			}
			w.Flush()
			if got := w.Shown(); got.Written+got.Full != n || got.Full > 0 != c.lost || got != w.Counts() {
				t.Errorf("shown %+v of %+v, want a sum of %d", got, w.Counts(), n)
			}
			if w.Unread() || w.entry > ofRecords && uint64(w.Entries()) != entries {
				t.Error("the writer believes the file")
			}
			stop()
			w.Close()
		})
	}
}
