package stdflib

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/mapi/result"
)

func statsOf(t *testing.T, b *flibtest.Bench) result.Stats {
	t.Helper()
	s, ok := result.ParseStats(b.Result())
	if !ok {
		t.Fatal("result is too short")
	}
	return s
}

// wantStats compares with big numbers.
func wantStats(t *testing.T, got result.Stats, values []uint64) {
	t.Helper()
	sum, sum2 := new(big.Int), new(big.Int)
	smallest, largest := uint64(0), uint64(0)
	for i, v := range values {
		b := new(big.Int).SetUint64(v)
		sum.Add(sum, b)
		sum2.Add(sum2, b.Mul(b, b))
		if i == 0 {
			smallest = v
		}
		smallest, largest = min(smallest, v), max(largest, v)
	}
	if got.Count != uint64(len(values)) || got.Min != float64(smallest) || got.Max != float64(largest) {
		t.Errorf("%+v of %d values from %d to %d", got, len(values), smallest, largest)
	}
	wantWide(t, got.Sum, sum)
	wantWide(t, got.Sum2, sum2)
}

// wantWide checks that the first float is the nearest one, and that both together are the
// number: exactly below 2^106, otherwise except for the last of 106 bits.
func wantWide(t *testing.T, got result.Wide, want *big.Int) {
	t.Helper()
	nearest, _ := new(big.Float).SetInt(want).Float64()
	if got.High != nearest {
		t.Errorf("%v: high part is %v, nearest is %v", want, got.High, nearest)
	}
	high, _ := big.NewFloat(got.High).Int(nil)
	low, _ := big.NewFloat(got.Low).Int(nil)
	diff := new(big.Int).Sub(high.Add(high, low), want)
	if beyond := max(0, want.BitLen()-106); diff.BitLen() > beyond {
		t.Errorf("%v: %v + %v is %v too much", want, got.High, got.Low, diff)
	}
	n, ok := got.Uint64()
	if ok != want.IsUint64() || ok && n != want.Uint64() {
		t.Errorf("%v: as uint64 %d, %v", want, n, ok)
	}
}

func TestStatsAgainstModel(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for round := range 200 {
		w := flibtest.NewWorld(t)
		target := w.Add(1, 1, 8)
		b := w.New(Library(), "STATS", int64(1), int64(1), "0")
		late := w.New(Library(), "STATS", int64(1), int64(1), "1")
		var values []uint64
		for range 100 {
			v := random.Uint64() >> (round % 64)
			target.Result.Set(v)
			in := numbered(1 + random.IntN(3))
			if out := b.Process(in...); len(out) != len(in) {
				t.Fatalf("%d of %d packets passed", len(out), len(in))
			}
			late.Process(in...)
			for range in {
				values = append(values, v)
			}
		}
		wantStats(t, statsOf(t, b), values)
		wantStats(t, statsOf(t, late), values[1:])
	}
}

func TestWideSums(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for bits := range 193 {
		for _, pattern := range []uint64{0, 1, math.MaxUint64, random.Uint64()} {
			var w wideSum
			n := new(big.Int)
			for i := range w {
				w[i] = pattern
				if at := 64 * i; at+64 > bits {
					w[i] &= 1<<max(0, bits-at) - 1
				}
				if i == (bits-1)/64 && bits > 0 {
					w[i] |= 1 << ((bits - 1) % 64)
				}
			}
			for i := range w {
				n.Lsh(n, 64).Add(n, new(big.Int).SetUint64(w[len(w)-1-i]))
			}
			wantWide(t, w.wide(), n)
		}
	}
}

func TestStatsOfPeriods(t *testing.T) {
	w := flibtest.NewWorld(t)
	target := w.Add(1, 1, 8)
	fixed := w.Add(1, 2, 8)
	fixed.NoReset = true
	b := w.New(Library(), "STATS", int64(1), int64(1), "10")
	c := w.New(Library(), "STATS", int64(1), int64(2), "10")
	// At 135 three periods have ended. Each of the following packets ends one of them,
	// even the older packet.
	for i, ts := range []uint64{100, 110, 111, 105, 135, 136, 129, 131, 141} {
		v := uint64(1) << i
		target.Result.Set(v)
		fixed.Result.Set(v)
		b.Process(packetAt(ts))
		c.Process(packetAt(ts))
	}
	wantStats(t, statsOf(t, b), []uint64{4, 16, 32, 256})
	wantStats(t, statsOf(t, c), []uint64{4, 16, 32, 256})
	if target.Resets != 4 || fixed.Resets != 0 {
		t.Errorf("%d resets", target.Resets)
	}
}

func TestStatsResetAndDeath(t *testing.T) {
	w := flibtest.NewWorld(t)
	target := w.Add(1, 1, 8)
	b := w.New(Library(), "STATS", int64(1), int64(1), "0")
	if s := statsOf(t, b); s != (result.Stats{}) || s.Mean() != 0 {
		t.Errorf("%+v before the first packet", s)
	}
	b.Process(numbered(2)...) // zeros are values
	target.Result.Set(9)
	b.Process(numbered(1)...)
	wantStats(t, statsOf(t, b), []uint64{0, 0, 9})
	if s := statsOf(t, b); s.Mean() != 3 {
		t.Errorf("mean is %v", s.Mean())
	}
	target.Live.Store(false)
	b.Process(numbered(5)...)
	wantStats(t, statsOf(t, b), []uint64{0, 0, 9})
	b.Function.(flib.Resetter).Reset()
	if s := statsOf(t, b); s != (result.Stats{}) {
		t.Errorf("%+v after reset", s)
	}
	target.Live.Store(true)
	b.Process(numbered(1)...)
	wantStats(t, statsOf(t, b), []uint64{9})
}

func TestStatsArguments(t *testing.T) {
	w := flibtest.NewWorld(t)
	w.Add(1, 1, 8)
	wantCodes(t, w, "STATS", []any{int64(1), int64(1), "5s"}, []wrongArgument{
		{0, int64(2), 7001}, {0, "1", 7001}, {1, int64(0), 7001}, {1, "1", 7002},
		{2, "0s", 7003}, {2, "-1", 7003}, {2, "", 7003}, {2, "never", 7003}, {2, int64(-1), 7003},
	})
}
