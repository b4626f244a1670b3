package ring

import (
	"errors"
	"io"
	"testing"

	"golang.org/x/sys/unix"
)

// recorded returns both sides of a ring of records.
func recorded(t testing.TB, size int) (*Writer, *Reader) {
	t.Helper()
	w, err := NewRecords(size)
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

// record returns a record with n in all its fields, and data whose size depends on n.
func record(n uint64) Record {
	data := make([]byte, n*7%301)
	for i := range data {
		data[i] = byte(n) + byte(i)
	}
	return Record{TS: n, Kind: uint16(n), Data: data}
}

func checkRecord(t testing.TB, p Packet, n uint64) {
	t.Helper()
	got, want := p.Record(), record(n)
	if got.TS != want.TS || got.Kind != want.Kind || string(got.Data) != string(want.Data) || p.Wlen != 0 || p.LinkType != 0 {
		t.Errorf("record %d is %+v", n, p)
	}
}

func TestRecordsInOrder(t *testing.T) {
	w, r := recorded(t, 0)
	if !r.Records() || r.Unread() || w.Unread() {
		t.Errorf("records %v, unread %v and %v", r.Records(), r.Unread(), w.Unread())
	}
	for n := range uint64(5000) { // several times around
		if !w.Record(record(n)) {
			t.Fatal("lost")
		}
		w.Flush()
		p, err := r.Next(bounded(t))
		if err != nil {
			t.Fatal(err)
		}
		checkRecord(t, p, n)
	}
	w.Record(record(1))
	w.End()
	if !w.Unread() || !r.Unread() {
		t.Error("a record waits, and nobody says so")
	}
	if _, err := r.Next(bounded(t)); err != nil {
		t.Error(err)
	}
	mustBeEmpty(t, r, io.EOF)
	if w.Unread() || r.Unread() {
		t.Error("unread at the end")
	}
}

// TestRecordsTooLargeOrTooMany are counted, each as what it is.
func TestRecordsTooLargeOrTooMany(t *testing.T) {
	w, r := recorded(t, 8<<20)
	most := Record{Data: make([]byte, MaxRecord)}
	if w.Record(Record{Data: make([]byte, MaxRecord+1)}) || w.RecordWait(Record{Data: make([]byte, 16<<20)}) {
		t.Error("a record beyond the limit was written")
	}
	for range 10 {
		w.Record(most)
	}
	w.Flush()
	if got := w.Counts(); got != (Counts{Written: 7, Full: 3, TooLarge: 2}) || r.Lost() != 5 {
		t.Errorf("%+v, the reader lost %d", got, r.Lost())
	}
	small, _ := recorded(t, 0)
	if small.Record(Record{Data: make([]byte, MinCapacity/2-recordData+1)}) || !small.Record(Record{Data: make([]byte, MinCapacity/2-recordData)}) {
		t.Error("the limit is not half of the ring")
	}
}

// TestRecordsWait compares what a slow reader gets from a writer that waits.
func TestRecordsWait(t *testing.T) {
	w, r := recorded(t, 0)
	const all = 3000
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range uint64(all) {
			w.RecordWait(record(n))
		}
		w.End()
	}()
	for n := range uint64(all) {
		p, err := r.Next(bounded(t))
		if err != nil {
			t.Fatal(err)
		}
		checkRecord(t, p, n)
	}
	if _, err := r.Next(bounded(t)); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	<-done
	if w.Counts() != (Counts{Written: all}) {
		t.Errorf("%+v", w.Counts())
	}
}

// TestRecordWaitEnds when the reader is gone, and at Stop.
func TestRecordWaitEnds(t *testing.T) {
	for name, end := range map[string]func(w *Writer, r *Reader){
		"gone": func(_ *Writer, r *Reader) { r.Close() },
		"stop": func(w *Writer, _ *Reader) { w.Stop() },
	} {
		w, r := recorded(t, 0)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for w.RecordWait(record(100)) {
			}
		}()
		spin(t, name+": the writer waits", r.Awaited)
		end(w, r)
		<-done
		if w.Counts().Full != 1 {
			t.Errorf("%s: %+v", name, w.Counts())
		}
	}
}

func TestRecordsDoNotAllocate(t *testing.T) {
	w, r := recorded(t, 0)
	data := make([]byte, 100)
	ctx := bounded(t)
	if n := testing.AllocsPerRun(1000, func() {
		w.Record(Record{Kind: 3, Data: data})
		w.RecordWait(Record{Kind: 4, Data: data})
		w.Flush()
		for range 2 {
			if _, err := r.Next(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestClaimedEntries opens only rings whose entries have a size that a writer gives them.
func TestClaimedEntries(t *testing.T) {
	for n, ok := range map[uint64]bool{0: true, 1: true, 2: false, 4: false, 8: true, 12: false, 4096: true, 8192: false, 1 << 63: false} {
		w := packets(t, 0)
		w.head.entry.Store(n)
		files := received(t, w)
		r, err := Open(files...)
		if (err == nil) != ok {
			t.Errorf("entries of %d bytes: %v", n, err)
		}
		if err == nil {
			r.Close()
		}
	}
}

// FuzzRecords reads a ring of records with arbitrary bytes. It must end, and its data must
// lie in the ring.
func FuzzRecords(f *testing.F) {
	w, _ := recorded(f, 0)
	for n := range uint64(8) {
		w.Record(record(n))
	}
	f.Add(uint64(0), w.pos, w.ring[:512])
	f.Add(uint64(8), uint64(16), []byte{12: 0xff, 13: 0xff, 14: 0xff, 15: 0xff})
	f.Fuzz(func(t *testing.T, read, position uint64, content []byte) {
		const capacity = 512
		m := mappings{data: make([]byte, headSize+capacity), page: make([]byte, pageSize)}
		copy(m.data[headSize:], content)
		asHead(m.data).magic.Store(Magic)
		asHead(m.data).entry.Store(ofRecords)
		asPage(m.page).read.Store(read)
		asHead(m.data).position.Store(position)
		r, sum := newReader(m), uint64(0)
		for {
			p, ok, err := r.TryNext()
			if !ok {
				if sum > capacity || err == nil && r.next != position {
					t.Fatalf("%d bytes, stopped at %d of %d with %v", sum, r.next, position, err)
				}
				return
			}
			rec := p.Record()
			if len(rec.Data) != cap(rec.Data) {
				t.Fatalf("data of %d bytes with room for %d", len(rec.Data), cap(rec.Data))
			}
			sum += recordSize(uint64(len(rec.Data)))
		}
	})
}

// TestKilledReaderOfRecords closes its end of the socket without a word.
func TestKilledReaderOfRecords(t *testing.T) {
	w, r := recorded(t, 0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for w.RecordWait(record(100)) {
		}
	}()
	spin(t, "the writer waits", r.Awaited)
	_ = r.raw.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_RDWR) })
	<-done
}
