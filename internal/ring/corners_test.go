package ring

import (
	"io"
	"os"
	"testing"
)

// at brings both sides to place off of an empty ring of 64 KiB.
func at(t *testing.T, off int) (*Writer, *Reader) {
	t.Helper()
	w, r := pair(t, MinCapacity)
	for sum := 0; sum < off; {
		size := min(off-sum, MinCapacity/2)
		if left := off - sum - size; left > 0 && left < 24 {
			size -= 24
		}
		if !w.Write(numbered(7, lengthFor(size))) {
			t.Fatalf("no room for %d bytes at %d", size, sum)
		}
		w.Flush()
		mustNext(t, r, 7, lengthFor(size))
		sum += size
	}
	mustBeEmpty(t, r, nil)
	if w.pos != uint64(off) {
		t.Fatalf("at %d, want %d", w.pos, off)
	}
	return w, r
}

func TestNothingIsSeenBeforeFlush(t *testing.T) {
	w, r := pair(t, 0)
	w.Write(numbered(1, 60))
	mustBeEmpty(t, r, nil)
	w.Flush()
	mustNext(t, r, 1, 60)
}

func TestLargeBatchIsShownBeforeFlush(t *testing.T) {
	w, r := pair(t, 0)
	for n := range uint64(12) {
		w.Write(numbered(n, 1500))
	}
	mustNext(t, r, 0, 1500)
}

func TestEmptyPacket(t *testing.T) {
	w, r := pair(t, 0)
	w.Write(numbered(1, 0))
	w.Flush()
	mustNext(t, r, 1, 0)
}

// TestRests puts a rest of every size at the end of the ring, around a record.
func TestRests(t *testing.T) {
	for rest := 8; rest <= 128; rest += 8 {
		w, r := at(t, MinCapacity-rest)
		w.Write(numbered(1, lengthFor(104)))
		w.Write(numbered(2, lengthFor(64)))
		w.Flush()
		first := uint64(104)
		if rest < 104 {
			first += uint64(rest) // skipped
		}
		second := uint64(64)
		if rest >= 104 && rest-104 < 64 {
			second += uint64(rest - 104)
		}
		if got := w.pos - (MinCapacity - uint64(rest)); got != first+second {
			t.Errorf("rest of %d: took %d bytes, want %d", rest, got, first+second)
		}
		mustNext(t, r, 1, lengthFor(104))
		mustNext(t, r, 2, lengthFor(64))
		mustBeEmpty(t, r, nil)
	}
}

func TestExactFitAtTheEnd(t *testing.T) {
	w, r := at(t, MinCapacity-104)
	w.Write(numbered(1, lengthFor(104)))
	w.Flush()
	if w.pos != MinCapacity {
		t.Fatalf("at %d, want %d", w.pos, MinCapacity)
	}
	mustNext(t, r, 1, lengthFor(104))
	mustBeEmpty(t, r, nil)
}

func TestFullThenDrained(t *testing.T) {
	w, r := pair(t, MinCapacity)
	const size = 1024
	for round := range 5 {
		for n := range uint64(MinCapacity / size) {
			if !w.Write(numbered(n, lengthFor(size))) {
				t.Fatalf("round %d: packet %d did not fit", round, n)
			}
		}
		if w.Write(numbered(99, 0)) {
			t.Fatal("a full ring took a packet")
		}
		w.Flush()
		if got := r.Counts(); got.Full != uint64(round+1) || got.Lost() != got.Full || r.Lost() != got.Full || r.Written() != w.Counts().Written {
			t.Fatalf("round %d: counts are %+v", round, got)
		}
		for n := range uint64(MinCapacity / size) {
			mustNext(t, r, n, lengthFor(size))
		}
		mustBeEmpty(t, r, nil)
	}
}

// TestPacketStaysUntilNextCall fills the ring around a packet that the reader holds.
func TestPacketStaysUntilNextCall(t *testing.T) {
	w, r := pair(t, MinCapacity)
	w.Write(numbered(1, 1000))
	w.Flush()
	p := mustNext(t, r, 1, 1000)
	for w.Write(numbered(2, 500)) {
	}
	w.Flush()
	checkNumbered(t, p, 1, 1000)
	mustNext(t, r, 2, 500)
	if !w.Write(numbered(3, 500)) {
		t.Error("the packet was not given back by the next call")
	}
}

// TestHalfFitsAnywhere writes the largest record at every kind of place.
func TestHalfFitsAnywhere(t *testing.T) {
	for _, off := range []int{0, 24, MinCapacity/2 - 24, MinCapacity / 2, MinCapacity/2 + 24, MinCapacity - 24} {
		w, r := at(t, off)
		if !w.Write(numbered(1, lengthFor(MinCapacity/2))) {
			t.Errorf("half of the ring does not fit at %d", off)
		}
		w.Flush()
		mustNext(t, r, 1, lengthFor(MinCapacity/2))
	}
}

func TestTooLarge(t *testing.T) {
	w, r := pair(t, MinCapacity)
	for _, write := range []func() bool{
		func() bool { return w.Write(numbered(1, lengthFor(MinCapacity/2)+1)) },
		func() bool { return w.WriteWait(numbered(1, 1<<20)) },
	} {
		if write() {
			t.Error("too large a packet was taken")
		}
	}
	w.Write(numbered(2, 60))
	w.Flush()
	mustNext(t, r, 2, 60)
	if got, want := r.Counts(), (Counts{Written: 1, TooLarge: 2}); got != want || w.Counts() != want {
		t.Errorf("counts are %+v and %+v, want %+v", got, w.Counts(), want)
	}
}

func TestEndWithLeftovers(t *testing.T) {
	w, r := pair(t, 0)
	w.Write(numbered(1, 60))
	w.Write(numbered(2, 60))
	w.End()
	w.Leave()
	mustNext(t, r, 1, 60)
	mustNext(t, r, 2, 60)
	for range 3 {
		mustBeEmpty(t, r, io.EOF)
	}
	if _, err := r.Next(bounded(t)); err != io.EOF {
		t.Errorf("Next gives %v, want EOF", err)
	}
}

func TestLeaveWithLeftovers(t *testing.T) {
	w, r := pair(t, 0)
	w.Write(numbered(1, 60))
	w.Leave()
	w.Close()
	mustNext(t, r, 1, 60)
	mustBeEmpty(t, r, ErrGone)
	if _, err := r.Next(bounded(t)); err != ErrGone {
		t.Errorf("Next gives %v, want ErrGone", err)
	}
}

func TestBatches(t *testing.T) {
	w, r := pair(t, 0)
	for n := range uint64(10) {
		w.Write(numbered(n, 100))
	}
	w.End()
	dst := make([]Packet, 4)
	seen := uint64(0)
	for _, want := range []int{4, 4, 2} {
		n, err := r.NextBatch(bounded(t), dst)
		if n != want || err != nil {
			t.Fatalf("got %d, %v, want %d", n, err, want)
		}
		for _, p := range dst[:n] {
			checkNumbered(t, p, seen, 100)
			seen++
		}
	}
	if n, err := r.NextBatch(bounded(t), dst); n != 0 || err != io.EOF {
		t.Errorf("at the end %d, %v", n, err)
	}
	if n, err := r.NextBatch(bounded(t), nil); n != 0 || err != nil {
		t.Errorf("no room for packets gives %d, %v", n, err)
	}
}

func TestReaderAfterClose(t *testing.T) {
	w, r := pair(t, 0)
	w.Write(numbered(1, 60))
	w.Write(numbered(2, 60))
	w.Flush()
	p := mustNext(t, r, 1, 60)
	r.Close()
	r.Close()
	checkNumbered(t, p, 1, 60)
	if r.Written() != 2 || r.Lost() != 0 || r.Awaited() {
		t.Error("counters are gone")
	}
	mustBeEmpty(t, r, os.ErrClosed)
}

// TestReaderGoesOnWhereAnotherStopped opens one ring twice, one after the other.
func TestReaderGoesOnWhereAnotherStopped(t *testing.T) {
	w := packets(t, 0)
	files := received(t, w)
	second := duplicates(t, files)
	first, err := Open(files...)
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(3) {
		w.Write(numbered(n, 60))
	}
	w.Flush()
	mustNext(t, first, 0, 60)
	mustNext(t, first, 1, 60)
	first.Close()
	r, err := Open(second...)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	mustNext(t, r, 1, 60) // was never released
	mustNext(t, r, 2, 60)
	mustBeEmpty(t, r, nil)
}
