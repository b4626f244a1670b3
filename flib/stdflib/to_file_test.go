package stdflib

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket/pcap"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/foreign/foreigntest"
	"gomapi/internal/mapierr"
	"gomapi/internal/testenv"
	"gomapi/mapi/result"
)

// target makes an empty file as a program passes it.
func target(t *testing.T) flib.OpenFile {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "out.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return flib.OpenFile{File: foreigntest.Own(t, f), Path: f.Name()}
}

// state reads the result as a client does.
func state(t *testing.T, b *flibtest.Bench) result.FileState {
	t.Helper()
	s, ok := result.ParseFileState(b.Result())
	if !ok {
		t.Fatal("result is too short")
	}
	return s
}

// becomes polls the result, as programs do.
func becomes(t *testing.T, b *flibtest.Bench, want result.FileState) {
	t.Helper()
	for deadline := time.Now().Add(testenv.Patience); state(t, b) != want; {
		if time.Now().After(deadline) {
			t.Fatalf("the result stays %d, want %d", state(t, b), want)
		}
	}
}

func counters(b *flibtest.Bench) map[string]uint64 {
	m := make(map[string]uint64)
	out, notes := b.Function.(flib.CounterSource).Books()
	for _, c := range append(out, notes...) {
		m[c.Name] = c.Value
	}
	return m
}

// packetsIn counts with libpcap.
func packetsIn(t *testing.T, path string) (n int) {
	t.Helper()
	h, err := pcap.OpenOffline(path)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for {
		if _, _, err := h.ReadPacketData(); err != nil {
			return n
		}
		n++
	}
}

func TestToFileStopsAtItsLimit(t *testing.T) {
	file := target(t)
	b := flibtest.New(t, Library(), "TO_FILE", int64(0), file, int64(3))
	if s := state(t, b); s != result.FileWriting {
		t.Errorf("result is %d at the beginning", s)
	}
	pkts := []*flib.Packet{frame(6, 60), frame(17, 60)}
	for range 4 {
		if out := b.Process(pkts...); len(out) != 2 {
			t.Errorf("%d of 2 packets went on", len(out))
		}
	}
	becomes(t, b, result.FileDone)
	if n := packetsIn(t, file.Path); n != 3 {
		t.Errorf("%d packets in the file, want 3", n)
	}
	if c := counters(b); c["written"] != 3 || c["refused: limit reached"] != 5 || c["bytes written"] != 24+3*(16+60) {
		t.Errorf("%v", c)
	}
}

func TestToFileEndsWithTheDevice(t *testing.T) {
	file := target(t)
	b := flibtest.New(t, Library(), "TO_FILE", int64(1), file)
	b.Process(frame(6, 60), frame(17, 60))
	b.Function.(flib.Finisher).End()
	becomes(t, b, result.FileDone)
	if n := packetsIn(t, file.Path); n != 2 {
		t.Errorf("%d packets in the file, want 2", n)
	}
}

func TestToFileTellsOfFailure(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	b, err := flibtest.Apply(t, Library(), "TO_FILE", int64(0), flib.OpenFile{File: foreigntest.Own(t, f), Path: "full"})
	if err != nil {
		t.Fatal(err)
	}
	fn := b.Function.(*fileWriter)
	if err := fn.Start(); err != nil {
		t.Fatal(err)
	}
	b.Process(frame(6, 60))
	becomes(t, b, result.FileFailed)
	fn.Stop()
	if err := fn.Start(); err != nil { // of a second connect
		t.Fatal(err)
	}
	b.Process(frame(6, 60))
	if s := state(t, b); s != result.FileFailed {
		t.Errorf("the result goes back to %d", s)
	}
	if c := counters(b); c["not written: file error"] != 2 {
		t.Errorf("%v", c)
	}
	if err := fn.Close(); mapierr.CodeOf(err, 0) != mapierr.File {
		t.Errorf("Close gives %v, want 6155", err)
	}
}

func TestToFileArguments(t *testing.T) {
	file := target(t)
	reading, err := os.Open(file.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	for _, c := range []struct {
		args []any
		want mapierr.Code
	}{
		{nil, mapierr.InvalidArgument1},
		{[]any{int64(13242312), file, int64(0)}, mapierr.CouldNotApplyFunction},
		{[]any{int64(2), file, int64(0)}, mapierr.CouldNotApplyFunction},
		{[]any{int64(0)}, mapierr.InvalidArgument2},
		{[]any{int64(0), "path", int64(0)}, mapierr.InvalidArgument2},
		{[]any{int64(0), file, int64(-1)}, mapierr.InvalidArgument3},
		{[]any{int64(0), file, int64(0), int64(0)}, mapierr.InvalidArgument4},
		{[]any{int64(0), flib.OpenFile{File: foreigntest.Own(t, reading), Path: "for reading"}}, mapierr.File},
	} {
		_, err := flibtest.Apply(t, Library(), "TO_FILE", c.args...)
		if got := mapierr.CodeOf(err, 0); got != c.want {
			t.Errorf("TO_FILE%v gives %v (%v), want %d", c.args, int(got), err, int(c.want))
		}
	}
}

func TestToFileDoesNotAllocate(t *testing.T) {
	b := flibtest.New(t, Library(), "TO_FILE", int64(0), target(t))
	pkts := []*flib.Packet{frame(6, 60), frame(17, 60)}
	if n := testing.AllocsPerRun(1000, func() { b.Function.Process(pkts) }); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
}
