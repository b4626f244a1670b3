package result

import (
	"encoding/binary"
	"math"
	"testing"
	"time"
)

func TestBucketLayout(t *testing.T) {
	e := BucketEntry{TS: 1<<32 + 1<<31, Value: 7}
	b := e.Append(nil)
	if len(b) != BucketSize || binary.NativeEndian.Uint64(b) != e.TS || binary.NativeEndian.Uint64(b[8:]) != 7 {
		t.Errorf("%x", b)
	}
	if got, ok := ParseBucket(append(b, 1)); !ok || got != e {
		t.Errorf("%+v, %v", got, ok)
	}
	if want := time.Unix(1, 5e8); !e.Time().Equal(want) || e.Time().Location() != time.UTC {
		t.Errorf("time is %v", e.Time())
	}
	if got := (BucketEntry{TS: 1<<32 - 1}).Time(); !got.Equal(time.Unix(1, 0)) { // rounded to nearest
		t.Errorf("time is %v", got)
	}
	for n := range b {
		if _, ok := ParseBucket(b[:n]); ok {
			t.Errorf("%d bytes are enough", n)
		}
	}
}

func TestThresholdLayout(t *testing.T) {
	e := ThresholdEvent{TS: 3 << 32, Value: math.MaxUint64, Remaining: -1}
	b := e.Append(nil)
	if len(b) != ThresholdSize || binary.NativeEndian.Uint64(b) != e.TS || binary.NativeEndian.Uint64(b[8:]) != e.Value ||
		binary.NativeEndian.Uint32(b[16:]) != math.MaxUint32 || binary.NativeEndian.Uint32(b[20:]) != 0 {
		t.Errorf("%x", b)
	}
	if got, ok := ParseThreshold(append(b, 1)); !ok || got != e || got.Int() != -1 || !got.Time().Equal(time.Unix(3, 0)) {
		t.Errorf("%+v, %v", got, ok)
	}
	for n := range b {
		if _, ok := ParseThreshold(b[:n]); ok {
			t.Errorf("%d bytes are enough", n)
		}
	}
}

func TestStatsLayout(t *testing.T) {
	s := Stats{Count: 3, Sum: Wide{10, .5}, Sum2: Wide{100, .25}, Max: 8, Min: 2}
	var b [StatsSize]byte
	s.Put(b[:])
	if binary.NativeEndian.Uint64(b[0:]) != 3 || binary.NativeEndian.Uint64(b[8:]) != 0 {
		t.Errorf("%x", b)
	}
	for at, want := range map[int]float64{16: 10, 24: .5, 32: 100, 40: .25, 48: 8, 56: 2} {
		if got := math.Float64frombits(binary.NativeEndian.Uint64(b[at:])); got != want {
			t.Errorf("%v at %d, want %v", got, at, want)
		}
	}
	if got, ok := ParseStats(b[:]); !ok || got != s {
		t.Errorf("%+v, %v", got, ok)
	}
	for n := range b {
		if _, ok := ParseStats(b[:n]); ok {
			t.Errorf("%d bytes are enough", n)
		}
	}
}

func TestWideAsUint64(t *testing.T) {
	const exact = 1 << 53
	for _, c := range []struct {
		high, low float64
		want      uint64
		ok        bool
	}{
		{0, 0, 0, true}, {exact, 1, exact + 1, true}, {1 << 63, -1, 1<<63 - 1, true}, {1 << 64, -1, math.MaxUint64, true},
		{1 << 64, 0, 0, false}, {1 << 64, 1, 0, false}, {-1, 0, 0, false}, {exact, .5, 0, false}, {.5, 0, 0, false},
		{1e300, -1e280, 0, false}, {math.NaN(), 0, 0, false}, {0, math.NaN(), 0, false}, {math.Inf(1), math.Inf(-1), 0, false},
	} {
		if got, ok := (Wide{c.high, c.low}).Uint64(); ok != c.ok || ok && got != c.want {
			t.Errorf("%v + %v: %d, %v; want %d, %v", c.high, c.low, got, ok, c.want, c.ok)
		}
	}
}

func TestBinopLayout(t *testing.T) {
	b := binary.NativeEndian.AppendUint64(nil, math.MaxUint64)
	if v, ok := ParseBinop(b); !ok || v != BinopNoValue {
		t.Errorf("%d, %v", v, ok)
	}
	if _, ok := ParseBinop(b[:7]); ok {
		t.Error("7 bytes are enough")
	}
}
