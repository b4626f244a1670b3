package ring

import (
	"testing"

	"golang.org/x/sys/unix"
)

// memory is what the file with the packets takes, in bytes.
func memory(t *testing.T, w *Writer) int64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Fstat(int(w.Files()[0].Fd()), &st); err != nil {
		t.Fatal(err)
	}
	return st.Blocks * 512
}

// TestMemoryComesWithPackets: a ring takes as much as has been written into it, up to
// a step.
func TestMemoryComesWithPackets(t *testing.T) {
	const size = 1 << 20
	w := packets(t, size)
	if got := memory(t, w); got > headSize+backStep {
		t.Errorf("a new ring takes %d bytes", got)
	}
	for w.pos < size/2 {
		if !w.Write(numbered(0, 1000)) {
			t.Fatalf("no room at %d", w.pos)
		}
		if got := memory(t, w); got < headSize+int64(w.pos) || got > headSize+int64(w.pos)+backStep+4096 {
			t.Fatalf("with %d bytes written it takes %d", w.pos, got)
		}
	}
	for range size {
		w.Write(numbered(0, 1000)) // until it is full
	}
	if got := memory(t, w); got > headSize+size {
		t.Errorf("a full ring takes %d bytes", got)
	}
}

// TestNoMemory: packets are lost and counted where there is none, and nobody waits for
// room that a reader cannot make.
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
}
