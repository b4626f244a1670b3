package pkt

import (
	"math/big"
	"testing"
	"time"
)

// exactTS is sec + nsec/1e9 in units of 2^-32 seconds, rounded up, computed
// with big integers.
func exactTS(sec, nsec uint64) uint64 {
	n := new(big.Int).Mul(new(big.Int).SetUint64(sec), big.NewInt(nanosPerSecond))
	n.Add(n, new(big.Int).SetUint64(nsec)).Lsh(n, 32)
	n.Add(n, big.NewInt(nanosPerSecond-1))
	return n.Div(n, big.NewInt(nanosPerSecond)).Uint64()
}

// TestTSKnownValue uses the time of a packet in the original's test trace:
// 0.456945 s is 1962563831.07 units. (The original rounds in between: 664
// more.)
func TestTSKnownValue(t *testing.T) {
	const want = 1089376567<<32 | 1962563832
	if got := TS(1089376567, 456945000); got != want {
		t.Errorf("TS = %#x, want %#x", got, uint64(want))
	}
}

func TestTSCarry(t *testing.T) {
	for _, c := range []struct{ sec, nsec, want uint64 }{
		{0, 0, 0},
		{0, 500_000_000, 1 << 31},
		{0, 999_999_999, 0xfffffffc},
		{7, 1_000_000_000, 8 << 32},
		{7, 3_250_000_000, 10<<32 | 1<<30},
		{1<<32 - 1, 999_999_999, 1<<64 - 4},
		{1<<32 - 1, 1_000_000_000, Latest},
		{1<<32 - 4, 4_000_000_001, Latest},
	} {
		if got := TS(c.sec, c.nsec); got != c.want {
			t.Errorf("TS(%d, %d) = %#x, want %#x", c.sec, c.nsec, got, c.want)
		}
	}
	// The last fractions of a second are nearer to the next second than to its
	// last nanosecond.
	for _, c := range []struct {
		ts        uint64
		sec, nsec int64
	}{
		{0xfffffffc, 0, 999_999_999},
		{0xfffffffd, 0, 999_999_999},
		{0xfffffffe, 1, 0},
		{5<<32 | 0xffffffff, 6, 0},
		{1, 0, 0},
		{3, 0, 1},
	} {
		if sec, nsec := Split(c.ts); sec != c.sec || nsec != c.nsec {
			t.Errorf("Split(%#x) = %d, %d, want %d, %d", c.ts, sec, nsec, c.sec, c.nsec)
		}
	}
}

// TestSplitInvertsTS tries every microsecond, the first and last hundred
// thousand nanoseconds of a second, and others in prime strides. Programs that
// truncate instead of rounding get the same values.
func TestSplitInvertsTS(t *testing.T) {
	const sec = 1089376567
	try := func(nsec uint64) {
		ts := TS(sec, nsec)
		if s, n := Split(ts); s != sec || n != int64(nsec) {
			t.Fatalf("Split(TS(%d, %d)) = %d, %d", sec, nsec, s, n)
		}
		fraction := ts & 0xffffffff
		if ns, us := fraction*1e9>>32, fraction*1e6>>32; ns != nsec || us != nsec/1000 {
			t.Fatalf("TS(%d, %d) is cut off to %d ns and %d us", sec, nsec, ns, us)
		}
	}
	for us := range uint64(1_000_000) {
		try(us * 1000)
	}
	for n := range uint64(100_000) {
		try(n)
		try(nanosPerSecond - 1 - n)
	}
	for n := uint64(0); n < nanosPerSecond; n += 499 {
		try(n)
	}
}

func TestTSIsExact(t *testing.T) {
	for n := uint64(0); n < nanosPerSecond; n += 100_003 {
		if got, want := TS(1089376567, n), exactTS(1089376567, n); got != want {
			t.Fatalf("TS(1089376567, %d) = %#x, want %#x", n, got, want)
		}
	}
}

func TestTime(t *testing.T) {
	want := time.Date(2004, 7, 9, 12, 36, 7, 456945000, time.UTC)
	ts := FromTime(want)
	if ts != TS(1089376567, 456945000) {
		t.Errorf("FromTime(%v) = %#x", want, ts)
	}
	if got := Time(ts); !got.Equal(want) || got.Location() != time.UTC {
		t.Errorf("Time = %v, want %v", got, want)
	}
	if ts := FromTime(time.Unix(-1, 5)); ts != 0 {
		t.Errorf("a time before 1970 gives %#x, want 0", ts)
	}
}

func TestFromTimeBeyond(t *testing.T) {
	for year, want := range map[int]uint64{1969: 0, 1970: 0, 2107: Latest, 9999: Latest} {
		if got := FromTime(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)); got != want {
			t.Errorf("%d: %#x, want %#x", year, got, want)
		}
	}
}
