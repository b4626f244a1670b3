package engine

import (
	"os"
	"path/filepath"
	"testing"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/books"
	"gomapi/internal/foreign/foreigntest"
	"gomapi/internal/ring"
)

// A packet that is larger than a file or a buffer takes is cut and counted.
func TestPacketsLargerThanFrames(t *testing.T) {
	big := udp(53, 0)
	big.Link = make([]byte, 3<<20)
	big.Link[len(big.Link)-1] = 1
	big.Wire = 4 << 20
	lib := library(map[string]*script{"BIG": {emits: true, process: func(in []*flib.Packet) []*flib.Packet {
		if len(in) == 0 {
			return nil
		}
		return []*flib.Packet{&big}
	}}})
	b := newBed(t, lib)
	c := b.client(1)
	path := filepath.Join(t.TempDir(), "out")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := c.CreateFlow(t.Context(), "net0")
	if err != nil {
		t.Fatal(err)
	}
	apply := func(name string, args ...any) Applied {
		t.Helper()
		a, err := c.Apply(t.Context(), f.FD, name, args)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	apply("BIG")
	reader, err := ring.Open(apply("TO_BUFFER").Ring.Files()...)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	apply("TO_FILE", int64(0), flib.OpenFile{File: foreigntest.Own(t, file), Path: path}, uint64(0))
	if err := c.Connect(t.Context(), f.FD); err != nil {
		t.Fatal(err)
	}
	b.source.Send(udp(53, 0))
	p, ok, err := reader.TryNext()
	if !ok || err != nil || len(p.Data) != 2<<20-20 || p.Wlen != 4<<20 {
		t.Errorf("%v, %v: %d bytes of %d, want %d of %d", ok, err, len(p.Data), p.Wlen, 2<<20-20, 4<<20)
	}
	functions, err := c.Functions(f.FD)
	if err != nil {
		t.Fatal(err)
	}
	if n := note(t, *functions[1].Books, books.OfWhichCutBuffer); n != 1 {
		t.Errorf("%d packets are cut in the buffer, want 1", n)
	}
	c.balance([]int32{f.FD})
	wantCode(t, "close", c.CloseFlow(f.FD), 0)
	if st, err := os.Stat(path); err != nil || st.Size() != 24+16+drivers.MaxSnap {
		t.Errorf("the file: %v, %v", st, err)
	}
}
