package stdflib

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/mapierr"
	"gomapi/mapi/result"
)

// stamped makes packets with the given time stamps.
func stamped(ts ...uint64) (pkts []*flib.Packet) {
	for _, t := range ts {
		pkts = append(pkts, &flib.Packet{TS: t})
	}
	return pkts
}

func TestGap(t *testing.T) {
	b := flibtest.New(t, Library(), "GAP")
	steps := []struct {
		ts   []uint64
		want int64
	}{
		{[]uint64{1000}, 0}, // the first packet has no gap
		{[]uint64{1010}, 10},
		{[]uint64{1010}, 0},
		{[]uint64{1003}, -7},
		{[]uint64{2000, 2500, 2600}, 100},
		{[]uint64{2601}, 1},
	}
	for _, s := range steps {
		pkts := stamped(s.ts...)
		if out := b.Process(pkts...); !slices.Equal(out, pkts) {
			t.Fatalf("%d of %d packets went on", len(out), len(pkts))
		}
		if g, ok := result.ParseGap(b.Result()); !ok || g.Signed() != s.want {
			t.Errorf("after %d the gap is %d, %v, want %d", s.ts, g.Signed(), ok, s.want)
		}
	}
}

func TestGapBeginsWithAList(t *testing.T) {
	b := flibtest.New(t, Library(), "GAP")
	b.Process(stamped(0, 5, 7)...) // 0 is a time stamp like any other
	if v := b.Uint64(); v != 2 {
		t.Errorf("gap is %d, want 2", v)
	}
}

// TestGapOfRandomPackets passes the same packets in lists of all lengths.
func TestGapOfRandomPackets(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	b := flibtest.New(t, Library(), "GAP")
	var all []uint64
	for range 2000 {
		var ts []uint64
		for range 1 + r.IntN(5) {
			ts = append(ts, r.Uint64()>>r.IntN(64))
		}
		b.Process(stamped(ts...)...)
		all = append(all, ts...)
		want := uint64(0)
		if len(all) > 1 {
			want = all[len(all)-1] - all[len(all)-2]
		}
		if v := b.Uint64(); v != want {
			t.Fatalf("gap is %d after %d packets, want %d", v, len(all), want)
		}
	}
}

func TestGapDuration(t *testing.T) {
	for g, want := range map[int64]time.Duration{
		0: 0, 1: 0, 3: time.Nanosecond, 1 << 32: time.Second, 1 << 31: time.Second / 2, 7451770: 1735 * time.Microsecond,
		-1: 0, -3: -time.Nanosecond, -(1 << 32): -time.Second, -(3 << 31): -1500 * time.Millisecond, 1<<63 - 1: 1 << 31 * time.Second,
		-1 << 63: -1 << 31 * time.Second,
	} {
		if d := result.Gap(uint64(g)).Duration(); d != want {
			t.Errorf("%d takes %v, want %v", g, d, want)
		}
	}
}

func TestGapArguments(t *testing.T) {
	refused(t, flibtest.NewWorld(t), "GAP", []refusal{{[]any{int64(1)}, mapierr.InvalidArgument1}})
}

func TestGapDoesNotAllocate(t *testing.T) {
	b := flibtest.New(t, Library(), "GAP")
	pkts := stamped(1, 2)
	if n := testing.AllocsPerRun(1000, func() { b.Function.Process(pkts) }); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
}

func BenchmarkGap(b *testing.B) {
	perPacket(b, flibtest.New(b, Library(), "GAP").Function, numbered(256), 1)
}
