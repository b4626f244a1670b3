package stdflib

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/mapierr"
	"gomapi/mapi/result"
)

// newDist makes a DIST of a function whose result the test sets.
func newDist(t testing.TB, bounds ...string) (*flibtest.Bench, *flibtest.Target) {
	t.Helper()
	w := flibtest.NewWorld(t)
	target := w.Add(1, 2, 8)
	return w.New(Library(), "DIST", int64(1), int64(2), bounds[0], bounds[1], bounds[2]), target
}

func parsed(t *testing.T, b *flibtest.Bench) result.Dist {
	t.Helper()
	d, ok := result.ParseDist(b.Result())
	if !ok {
		t.Fatal("result is too short")
	}
	return d
}

// TestDistOfRealPackets compares with numbers that follow from the rules.
func TestDistOfRealPackets(t *testing.T) {
	pkts := capture(t, "mapi-tracefile.pcap")
	for _, c := range []struct {
		bounds []string
		want   []uint64
	}{
		{[]string{"0", "1600", "100"}, []uint64{608, 79, 12, 5, 1, 5, 45, 3, 0, 3, 1, 1, 22, 1, 101, 6, 0}},
		{[]string{"42", "1542", "500"}, []uint64{705, 56, 132, 0}},
	} {
		b, target := newDist(t, c.bounds...)
		for _, p := range pkts {
			target.Result.Set(uint64(p.Wire))
			if out := b.Process(p); len(out) != 1 || out[0] != p {
				t.Fatal("packet was held back")
			}
		}
		if d := parsed(t, b); !slices.Equal(d.Counts, c.want) {
			t.Errorf("%v: %d, want %d", c.bounds, d.Counts, c.want)
		}
	}
}

func TestDistEdges(t *testing.T) {
	for _, c := range []struct {
		bounds []string
		n      int
		values []uint64
		slots  []int
	}{
		{[]string{"10", "30", "10"}, 2, []uint64{0, 9, 10, 19, 20, 29, 30, math.MaxUint64}, []int{0, 0, 0, 0, 1, 1, 2, 2}},
		{[]string{"10", "31", "10"}, 3, []uint64{29, 30, 31}, []int{1, 2, 3}}, // the last interval is shorter
		{[]string{"0", "1", "1"}, 1, []uint64{0, 1}, []int{0, 1}},
		{[]string{"1s", "2s", "500ms"}, 2, []uint64{0, 1 << 32, 3<<31 - 1, 3 << 31, 2<<32 - 1, 2 << 32}, []int{0, 0, 0, 1, 1, 2}},
		{[]string{"0", "9223372036854775807", "9223372036854775807"}, 1, []uint64{math.MaxInt64 - 1, math.MaxInt64, 1 << 63}, []int{0, 1, 1}},
		{[]string{"9223372036854775806", "9223372036854775807", "1"}, 1, []uint64{0, math.MaxInt64}, []int{0, 1}},
		{[]string{"0", "16384", "1"}, 16384, []uint64{0, 16383, 16384}, []int{0, 16383, 16384}},
	} {
		b, target := newDist(t, c.bounds...)
		want := make([]uint64, c.n+1)
		for i, v := range c.values {
			target.Result.Set(v)
			b.Process(numbered(3)...) // all see the same value
			want[c.slots[i]] += 3
		}
		if d := parsed(t, b); !slices.Equal(d.Counts, want) {
			t.Errorf("%v: %d, want %d", c.bounds, d.Counts, want)
		}
		if size := len(b.Result()); size != 32+8*(c.n+1) {
			t.Errorf("%v: result of %d bytes", c.bounds, size)
		}
	}
}

// TestDistOfRandomValues compares with counting by comparisons.
func TestDistOfRandomValues(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for range 200 {
		lo := r.Uint64N(1 << r.IntN(62))
		step := 1 + r.Uint64N(1<<r.IntN(40))
		hi := lo + step*(1+r.Uint64N(50)) + r.Uint64N(step)
		b, target := newDist(t, fmt.Sprint(lo), fmt.Sprint(hi), fmt.Sprint(step))
		var ends []uint64 // of the intervals
		for end := lo + step; end < hi; end += step {
			ends = append(ends, end)
		}
		ends = append(ends, hi)
		want := make([]uint64, len(ends)+1)
		for range 100 {
			v := lo - 2*step + r.Uint64N(hi-lo+4*step)
			if r.IntN(3) == 0 {
				v = ends[r.IntN(len(ends))] - r.Uint64N(2)
			}
			slot := 0
			for slot < len(ends) && v >= ends[slot] {
				slot++
			}
			want[slot]++
			target.Result.Set(v)
			b.Process(numbered(1)...)
		}
		if d := parsed(t, b); d.Min != lo || d.Max != hi || !slices.Equal(d.Counts, want) {
			t.Fatalf("%d to %d by %d: %d to %d %d, want %d", lo, hi, step, d.Min, d.Max, d.Counts, want)
		}
	}
}

func TestDistOfASmallResult(t *testing.T) {
	w := flibtest.NewWorld(t)
	w.Add(1, 2, 4).Result.Set(499) // a HASH
	b := w.New(Library(), "DIST", int64(1), int64(2), "0", "1000", "500")
	b.Process(numbered(1)...)
	if d := parsed(t, b); !slices.Equal(d.Counts, []uint64{1, 0, 0}) {
		t.Errorf("%d", d.Counts)
	}
}

// TestDistSkipsWhatHasNoValue: nothing is counted while the target has no value.
func TestDistSkipsWhatHasNoValue(t *testing.T) {
	b, target := newDist(t, "0", "10", "5")
	target.Live.Store(false)
	if out := b.Process(numbered(3)...); len(out) != 3 {
		t.Error("packets were held back")
	}
	target.Live.Store(true)
	b.Process(numbered(1)...)
	if d := parsed(t, b); !slices.Equal(d.Counts, []uint64{1, 0, 0}) {
		t.Errorf("%d", d.Counts)
	}
}

func TestDistReset(t *testing.T) {
	b, target := newDist(t, "0", "10", "5")
	for _, v := range []uint64{1, 7, 10} {
		target.Result.Set(v)
		b.Process(numbered(1)...)
	}
	b.Function.(flib.Resetter).Reset()
	if d := parsed(t, b); d.Min != 0 || d.Max != 10 || !slices.Equal(d.Counts, []uint64{0, 0, 0}) {
		t.Errorf("%+v", d)
	}
}

func TestDistArguments(t *testing.T) {
	w := flibtest.NewWorld(t)
	w.Add(1, 2, 8)
	fd, fid := int64(1), int64(2)
	refused(t, w, "DIST", []refusal{
		{nil, mapierr.InvalidArgument1},
		{[]any{"1", fid, "0", "10", "1"}, mapierr.InvalidArgument1},
		{[]any{int64(9), fid, "0", "10", "1"}, mapierr.InvalidArgument1},
		{[]any{fd, int64(9), "0", "10", "1"}, mapierr.InvalidArgument1},
		{[]any{fd}, mapierr.InvalidArgument2},
		{[]any{fd, "2", "0", "10", "1"}, mapierr.InvalidArgument2},
		{[]any{fd, fid, int64(-1), "10", "1"}, mapierr.InvalidArgument3},
		{[]any{fd, fid, int64(0), int64(10), uint64(11)}, mapierr.InvalidArgument4},
		{[]any{fd, fid, "-1", "10", "1"}, mapierr.InvalidArgument3},
		{[]any{fd, fid, "0", "ten", "1"}, mapierr.InvalidArgument4},
		{[]any{fd, fid, "0", "10", "1h"}, mapierr.InvalidArgument5},
		{[]any{fd, fid, "0", "10", ""}, mapierr.InvalidArgument5},
		{[]any{fd, fid, "0", "10"}, mapierr.InvalidArgument5},
		{[]any{fd, fid, "11", "10", "1"}, mapierr.InvalidArgument},
		{[]any{fd, fid, "11", "10", "0"}, mapierr.InvalidArgument},
		{[]any{fd, fid, "0", "10", "11"}, mapierr.InvalidArgument4},
		{[]any{fd, fid, "10", "10", "1"}, mapierr.InvalidArgument4},
		{[]any{fd, fid, "0", "10", "0"}, mapierr.InvalidArgument5},
		{[]any{fd, fid, "10", "10", "0"}, mapierr.InvalidArgument5},
		{[]any{fd, fid, "0", "0.4", "0.4"}, mapierr.InvalidArgument5}, // rounded
		{[]any{fd, fid, "0", "16385", "1"}, mapierr.InvalidArgument5},
		{[]any{fd, fid, "0", "9223372036854775807", "1"}, mapierr.InvalidArgument5},
		{[]any{fd, fid, "0", "10", "1", "1"}, mapierr.InvalidArgument6},
	})
}

func TestDistDoesNotAllocate(t *testing.T) {
	b, target := newDist(t, "0", "1600", "100")
	pkts := numbered(1)
	n := testing.AllocsPerRun(1000, func() {
		target.Result.Set(target.Result.Uint64() + 7)
		b.Function.Process(pkts)
	})
	if n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

func BenchmarkDist(b *testing.B) {
	for _, bounds := range [][]string{{"0", "1600", "100"}, {"0", "16384", "1"}} {
		b.Run(bounds[1]+"/"+bounds[2], func(b *testing.B) {
			bench, target := newDist(b, bounds...)
			pkts := numbered(1)
			b.ReportAllocs()
			v := uint64(0)
			for b.Loop() {
				target.Result.Set(v)
				v = (v + 7) & 2047
				bench.Function.Process(pkts)
			}
		})
	}
}
