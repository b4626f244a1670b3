package stdflib

import (
	"slices"
	"testing"
	"time"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
	"gomapi/mapi/result"
)

func TestPktInfo(t *testing.T) {
	at := time.Date(2004, 7, 9, 12, 36, 7, 456945000, time.UTC)
	pkts := []*flib.Packet{{TS: 7, Wire: 60}, {TS: 5, Wire: 9000}, {TS: pkt.FromTime(at), Wire: 1514}}
	for _, batch := range []int{1, 2, 3} {
		ts, size := flibtest.New(t, Library(), "PKTINFO", int64(0)), flibtest.New(t, Library(), "PKTINFO", int64(1))
		if a, b := ts.Uint64(), size.Uint64(); a != 0 || b != 0 {
			t.Errorf("results are %d and %d before the first packet", a, b)
		}
		for list := range slices.Chunk(pkts, batch) {
			for _, b := range []*flibtest.Bench{ts, size} {
				if out := b.Process(list...); !slices.Equal(out, list) {
					t.Errorf("%d of %d packets went on", len(out), len(list))
				}
			}
			last := list[len(list)-1]
			if a, b := ts.Uint64(), size.Uint64(); a != last.TS || b != uint64(last.Wire) {
				t.Errorf("results are %d and %d, want %d and %d", a, b, last.TS, last.Wire)
			}
		}
		if i, ok := result.ParsePktInfo(ts.Result()); !ok || !i.Time().Equal(at) {
			t.Errorf("time is %v, %v, want %v", i.Time(), ok, at)
		}
		if i, ok := result.ParsePktInfo(size.Result()); !ok || i != 1514 {
			t.Errorf("size is %v, %v, want 1514", i, ok)
		}
	}
}

func TestPktInfoArguments(t *testing.T) {
	refused(t, flibtest.NewWorld(t), "PKTINFO", []refusal{
		{nil, mapierr.InvalidArgument1},
		{[]any{"size"}, mapierr.InvalidArgument1},
		{[]any{int64(1 << 31)}, mapierr.InvalidArgument1},
		{[]any{int64(-1)}, mapierr.InvalidArgument2},
		{[]any{int64(2)}, mapierr.InvalidArgument2},
		{[]any{int64(1), int64(1)}, mapierr.InvalidArgument2},
	})
}

func TestPktInfoDoesNotAllocate(t *testing.T) {
	for what := range int64(2) {
		b := flibtest.New(t, Library(), "PKTINFO", what)
		pkts := stamped(1, 2)
		if n := testing.AllocsPerRun(1000, func() { b.Function.Process(pkts) }); n != 0 {
			t.Errorf("%v allocations per batch", n)
		}
	}
}

func BenchmarkPktInfo(b *testing.B) {
	perPacket(b, flibtest.New(b, Library(), "PKTINFO", int64(1)).Function, numbered(256), 1)
}
