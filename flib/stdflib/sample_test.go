package stdflib

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/mapierr"
)

// numbered makes packets that contain their numbers.
func numbered(n int) []*flib.Packet {
	all := make([]flib.Packet, n)
	pkts := make([]*flib.Packet, n)
	for i := range all {
		all[i].TS = uint64(i + 1)
		pkts[i] = &all[i]
	}
	return pkts
}

// sampled passes packets in batches of the given size and returns the numbers of those
// that passed.
func sampled(f flib.Function, pkts []*flib.Packet, batch int) []uint64 {
	var passed []uint64
	for part := range slices.Chunk(pkts, batch) {
		for _, p := range f.Process(part) {
			passed = append(passed, p.TS)
		}
	}
	return passed
}

func TestPeriodicSample(t *testing.T) {
	const n = 893
	pkts := numbered(n)
	for _, c := range []struct{ value, mode, period int64 }{
		{1, 2, 1}, {2, 2, 2}, {3, 2, 3}, {20, 2, 20}, {100, 2, 100}, {893, 2, 893}, {894, 2, 894}, {math.MaxInt32, 2, math.MaxInt32},
		{0, 2, 1}, {-7, 2, 1}, {math.MinInt32, 2, 1},
		{20, 0, 20}, {20, 1, 20}, {20, 4, 20}, {20, -3, 20}, // unknown modes
	} {
		for _, batch := range []int{1, 2, 7, 20, 64, n} {
			b := flibtest.New(t, Library(), "SAMPLE", c.value, c.mode)
			got := sampled(b.Function, pkts, batch)
			if len(got) != n/int(c.period) {
				t.Fatalf("SAMPLE(%d, %d) passes %d of %d packets, want %d", c.value, c.mode, len(got), n, n/c.period)
			}
			for i, number := range got {
				if number != uint64(i+1)*uint64(c.period) {
					t.Fatalf("SAMPLE(%d, %d) passes packet %d as number %d in batches of %d", c.value, c.mode, number, i+1, batch)
				}
			}
		}
	}
}

func TestRandomSample(t *testing.T) {
	const n = 1 << 20
	pkts := numbered(n)
	for _, c := range []struct {
		value int
		want  float64
	}{
		{math.MinInt32, 0}, {-1, 0}, {0, 0}, {1, .01}, {20, .2}, {50, .5}, {99, .99}, {100, 1}, {101, 1}, {math.MaxInt32, 1},
	} {
		// The seeds are fixed, so the test gives the same result each time.
		got := float64(len(sampled(newRandomSample(c.value, 11, 12), pkts, 256)))
		sigma := math.Sqrt(n * c.want * (1 - c.want))
		if math.Abs(got-n*c.want) > 5*sigma {
			t.Errorf("%d percent pass %v of %d packets, want %v give or take %.0f", c.value, got, n, n*c.want, 5*sigma)
		}
	}
}

// TestRandomSampleIsIndependent looks at pairs of neighbours. Each pair passes with the
// square of the probability.
func TestRandomSampleIsIndependent(t *testing.T) {
	const n, p = 1 << 20, .2
	passed := sampled(newRandomSample(20, 21, 22), numbered(n), 256)
	pairs := 0
	for i := 1; i < len(passed); i++ {
		if passed[i] == passed[i-1]+1 {
			pairs++
		}
	}
	// Neighbouring pairs share a packet, hence the second term.
	sigma := math.Sqrt(n * (p*p*(1-p*p) + 2*(p*p*p-p*p*p*p)))
	if math.Abs(float64(pairs)-n*p*p) > 5*sigma {
		t.Errorf("%d pairs of neighbours passed, want %.0f give or take %.0f", pairs, n*p*p, 5*sigma)
	}
}

func TestRandomSamplesDiffer(t *testing.T) {
	pkts := numbered(1000)
	draw := func() []uint64 {
		return sampled(flibtest.New(t, Library(), "SAMPLE", int64(50), int64(3)).Function, pkts, 100)
	}
	if a, b := draw(), draw(); slices.Equal(a, b) {
		t.Errorf("two instances pass the same %d of 1000 packets", len(a))
	}
	one, two := sampled(newRandomSample(50, 1, 2), pkts, 100), sampled(newRandomSample(50, 1, 2), pkts, 7)
	if !slices.Equal(one, two) {
		t.Error("the same seeds pass different packets")
	}
}

func TestSampleArguments(t *testing.T) {
	for _, c := range []struct {
		args []any
		want mapierr.Code
	}{
		{nil, mapierr.InvalidArgument1},
		{[]any{int64(20)}, mapierr.InvalidArgument2},
		{[]any{"20", int64(2)}, mapierr.InvalidArgument1},
		{[]any{int64(1 << 31), int64(2)}, mapierr.InvalidArgument1},
		{[]any{int64(20), "PERIODIC"}, mapierr.InvalidArgument2},
		{[]any{int64(20), int64(2), int64(0)}, mapierr.InvalidArgument3},
	} {
		_, err := flibtest.Apply(t, Library(), "SAMPLE", c.args...)
		if got := mapierr.CodeOf(err, 0); got != c.want {
			t.Errorf("SAMPLE%q gives %v, want error %d", c.args, err, int(c.want))
		}
	}
}

func BenchmarkSample(b *testing.B) {
	pkts := numbered(256)
	for _, c := range []struct{ value, mode int64 }{{20, 2}, {20, 3}} {
		b.Run(fmt.Sprintf("value=%d/mode=%d", c.value, c.mode), func(b *testing.B) {
			f := flibtest.New(b, Library(), "SAMPLE", c.value, c.mode).Function
			b.ReportAllocs()
			packets := 0
			for b.Loop() {
				f.Process(pkts)
				packets += len(pkts)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
		})
	}
}
