package ring

import (
	"io"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/testenv"
)

// TestMemoryComesWithPackets: a ring takes as much memory as has been written, rounded up
// to a step.
func TestMemoryComesWithPackets(t *testing.T) {
	const size = 1 << 20
	w := packets(t, size)
	if got := allocated(t, w.Files()[0]); got > headSize+backStep {
		t.Errorf("a new ring takes %d bytes", got)
	}
	for w.pos < size/2 {
		if !w.Write(numbered(0, 1000)) {
			t.Fatalf("no room at %d", w.pos)
		}
		if got := allocated(t, w.Files()[0]); got < headSize+int64(w.pos) || got > headSize+int64(w.pos)+backStep+4096 {
			t.Fatalf("with %d bytes written it takes %d", w.pos, got)
		}
	}
	for range size {
		w.Write(numbered(0, 1000)) // until it is full
	}
	if got := allocated(t, w.Files()[0]); got > headSize+size {
		t.Errorf("a full ring takes %d bytes", got)
	}
}

// TestNoMemory: without memory, packets are lost and counted, and nobody waits for room
// that no reader can make.
func TestNoMemory(t *testing.T) {
	w, r := pair(t, 1<<20)
	w.populate = func([]byte) error { return unix.ENOMEM }
	written := uint64(0)
	for w.pos < backStep-2000 {
		w.WriteWait(numbered(written, 1000))
		written++
	}
	for range 100 {
		if !w.WriteWait(numbered(written, 1000)) {
			break
		}
		written++
	}
	if w.WriteWait(numbered(0, 1000)) {
		t.Fatal("a packet without memory")
	}
	w.Flush()
	if c := w.Counts(); c.Written != written || c.Full != 2 {
		t.Errorf("%+v, want %d written and 2 lost", c, written)
	}
	for n := range written {
		mustNext(t, r, n, 1000)
	}
	mustBeEmpty(t, r, nil)
	w.populate = populate
	if !w.Write(numbered(written, 1000)) {
		t.Error("no packet goes in when there is memory again")
	}
}

// TestNoMemoryAtTheEnd: a sleeping reader gets the packets from before the shortage, and
// the end.
func TestNoMemoryAtTheEnd(t *testing.T) {
	w, r := pair(t, 1<<20)
	w.populate = func([]byte) error { return unix.ENOMEM }
	sleeps := func() <-chan error {
		before, heard := w.page.sleep.Load(), make(chan error, 1)
		go func() {
			_, err := r.Next(t.Context())
			heard <- err
		}()
		testenv.Until(t, "a reader that sleeps", func() bool { return w.page.sleep.Load() > before })
		return heard
	}
	hears := func(heard <-chan error, want error) {
		t.Helper()
		select {
		case err := <-heard:
			if err != want {
				t.Errorf("it hears %v, want %v", err, want)
			}
		case <-time.After(testenv.Patience):
			t.Fatal("nobody wakes it")
		}
	}
	reader := sleeps()
	written := 0
	for w.Write(numbered(0, 1000)) {
		written++
	}
	w.Flush()
	hears(reader, nil)
	for range written - 1 {
		mustNext(t, r, 0, 1000)
	}
	reader = sleeps()
	w.End()
	hears(reader, io.EOF)
}

// TestGrant: a ring takes only memory that it is granted, all of which it says, and asks again
// with the next batch.
func TestGrant(t *testing.T) {
	const size = 1 << 20
	w := packets(t, size)
	left, taken := 3*backStep, w.Footprint()
	w.Grant = func(bytes int) bool {
		if bytes > left {
			return false
		}
		left -= bytes
		taken += bytes
		return true
	}
	write := func() (n int) {
		for w.Write(numbered(0, 1000)) {
			n++
		}
		w.Flush()
		return n
	}
	first := write()
	if got := allocated(t, w.Files()[0]); left != 0 || first == 0 || got > int64(taken) || w.Footprint() != taken {
		t.Errorf("%d packets, %d bytes taken, %d granted, footprint %d", first, got, taken, w.Footprint())
	}
	if left = size; write() == 0 || w.Unbacked() != 0 {
		t.Errorf("%d bytes are missing after a grant", w.Unbacked())
	}
}
