package stdflib

import (
	"slices"
	"strings"
	"testing"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/mapierr"
)

// timesOf returns the time stamps of packets.
func timesOf(in []*flib.Packet) (out []uint64) {
	for _, p := range in {
		out = append(out, p.TS)
	}
	return out
}

func TestSync(t *testing.T) {
	w := flibtest.NewWorld(t)
	one, two := w.AddFlow(1), w.AddFlow(2)
	b := w.New(Library(), "SYNC", "1, 2")
	expire := func(now uint64) {
		if out := b.Expire(now); len(out) != 0 {
			t.Errorf("%d packets out of nothing", len(out))
		}
	}
	want := func(want ...uint64) {
		t.Helper()
		if got := timesOf(b.Process(packetAt(5), packetAt(3), packetAt(9), packetAt(4))); !slices.Equal(got, want) {
			t.Errorf("passed %d, want %d", got, want)
		}
	}
	want()
	two.Connect(4)
	want()
	expire(9)
	want()
	one.Connect(5)
	want(5, 9)
	one.Close(99) // the agreed time stays
	want(5, 9)
	expire(4)
	want(5, 9)
	expire(5) // now the device is past the connect
	want(5, 3, 9, 4)
}

func TestSyncArguments(t *testing.T) {
	w := flibtest.NewWorld(t)
	for fd := range int32(3) {
		w.AddFlow(fd + 1)
	}
	for _, good := range []string{"1", "1,2,3", "1, 1", strings.Repeat("1,", maxSynced-1) + "2"} {
		if _, err := w.Apply(Library(), "SYNC", good); err != nil {
			t.Errorf("%.20q: %v", good, err)
		}
	}
	for list, want := range map[string]mapierr.Code{
		"": 7001, ",": 7001, "1,": 7001, "1;2": 7001, "one": 7001, "99999999999": 7001, strings.Repeat("1,", maxSynced) + "2": 7001,
		"4": 7002, "1,4": 7002, "-1": 7002, "0": 7002,
	} {
		_, err := w.Apply(Library(), "SYNC", list)
		if got := mapierr.CodeOf(err, 0); got != want {
			t.Errorf("%.20q gives %v, want error %d", list, err, int(want))
		}
	}
	if _, err := w.Apply(Library(), "SYNC", int64(1)); mapierr.CodeOf(err, 0) != 7001 {
		t.Errorf("a number: %v", err)
	}
}

func TestSyncDoesNotAllocate(t *testing.T) {
	w := flibtest.NewWorld(t)
	w.AddFlow(1).Connect(6)
	f := w.New(Library(), "SYNC", "1").Function
	in := numbered(10)
	if n := testing.AllocsPerRun(100, func() { f.Process(in) }); n != 0 {
		t.Errorf("%v allocations while it leaves out", n)
	}
	flibtest.Expire(f, 10)
	if n := testing.AllocsPerRun(100, func() { f.Process(in) }); n != 0 {
		t.Errorf("%v allocations while it is open", n)
	}
}

func BenchmarkSync(b *testing.B) {
	w := flibtest.NewWorld(b)
	w.AddFlow(1).Connect(6)
	f := w.New(Library(), "SYNC", "1").Function
	in := numbered(256)
	b.ReportAllocs()
	packets := 0
	for b.Loop() {
		f.Process(in) // before packet time has reached the connect
		packets += len(in)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
}

// TestSyncAfterTheClockWasSetBack: the gate opens when the engine withdraws the time of a
// connect that packet time does not reach.
func TestSyncAfterTheClockWasSetBack(t *testing.T) {
	w := flibtest.NewWorld(t)
	one, two := w.AddFlow(1), w.AddFlow(2)
	b := w.New(Library(), "SYNC", "1,2")
	one.Connect(1000)
	two.Connect(1001)
	if out := b.Process(packetAt(5)); len(out) != 0 {
		t.Errorf("%d packets passed before the connect", len(out))
	}
	one.Connect(0)
	if out := b.Process(packetAt(6)); len(out) != 0 {
		t.Errorf("%d packets passed before the other connect", len(out))
	}
	two.Connect(0)
	if out := b.Process(packetAt(7)); len(out) != 1 {
		t.Error("shut for ever")
	}
}
