package stdflib

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
	"gomapi/mapi/result"
)

// at makes a packet with a time in ns and a length.
func at(nanos int64, wire uint32) *flib.Packet {
	return &flib.Packet{TS: pkt.TS(0, uint64(nanos)), Wire: wire, LinkType: flibtest.EN10MB}
}

func categories(t testing.TB, b *flibtest.Bench) []result.BurstCategory {
	t.Helper()
	list, ok := result.ParseBurst(b.Result())
	if !ok {
		t.Fatal("result is no list of categories")
	}
	return list
}

// wantCategories fails unless the categories equal want and all others are empty.
func wantCategories(t *testing.T, b *flibtest.Bench, want map[int]result.BurstCategory) {
	t.Helper()
	for i, c := range categories(t, b) {
		if c != want[i] {
			t.Errorf("category %d is %+v, want %+v", i, c, want[i])
		}
	}
}

// At 8 Mbit/s a byte takes 1000 ns, which makes times easy to read.
func TestBurstLimits(t *testing.T) {
	for _, c := range []struct {
		next int64 // time of the second packet; the first has 100 bytes, at 0
		ends bool
		gap  uint64
	}{
		{100_000 + 500, false, 0},       // just in time
		{100_000 + 500 + 30, false, 0},  // as late as allowed
		{100_000 + 500 + 31, true, 0},   // less than a byte of a gap
		{100_000 + 500 + 1000, true, 1}, // a byte
		{100_000 + 500 + 5999, true, 5}, // not yet six
		{100_000 + 500 - 20, false, 0},  // as early as allowed
		{100_000 + 500 - 21, true, 0},   // too early, and no gap
		{0, true, 0},
	} {
		b := flibtest.New(t, Library(), "BURST", int64(1), int64(1000), int64(100), int64(500), int64(30), int64(20), int64(8))
		b.Process(at(1e15, 100))
		b.Process(at(1e15+c.next, 100))
		want := map[int]result.BurstCategory{}
		if c.ends {
			want[1] = result.BurstCategory{Bytes: 100, Packets: 1, Bursts: 1}
		}
		if c.ends {
			place := int(min(c.gap, 1))
			w := want[place]
			w.GapBytes, w.Gaps = c.gap, 1
			want[place] = w
		}
		wantCategories(t, b, want)
	}
}

func TestBurstCategories(t *testing.T) {
	b := flibtest.New(t, Library(), "BURST", int64(100), int64(300), int64(100), int64(0), int64(0), int64(0), int64(8))
	when := int64(1e15)
	for _, size := range []uint32{0, 99, 100, 199, 200, 299, 300, 5000, math.MaxUint32} {
		b.Process(at(when, size))
		when += int64(size)*1000 + 150_000 // a gap of 150 bytes
	}
	b.Process(at(when, 1))
	wantCategories(t, b, map[int]result.BurstCategory{
		0: {Bytes: 99, Packets: 2, Bursts: 1}, // no bytes give no burst
		1: {Bytes: 299, Packets: 2, Bursts: 2, GapBytes: 9 * 150, Gaps: 9},
		2: {Bytes: 499, Packets: 2, Bursts: 2},
		3: {Bytes: 5300 + math.MaxUint32, Packets: 3, Bursts: 3},
	})
}

func TestBurstReset(t *testing.T) {
	b := flibtest.New(t, Library(), "BURST", int64(1), int64(2), int64(1), int64(0), int64(0), int64(0), int64(1))
	b.Process(at(1e15, 60), at(1e15+1e9, 60))
	b.Function.(flib.Resetter).Reset()
	wantCategories(t, b, nil)
	b.Process(at(1e15+2e9, 60))
	wantCategories(t, b, nil) // nothing was open, and there was no gap before
	b.Process(at(1e15+3e9, 60))
	if c := categories(t, b)[2]; c.Packets != 1 || c.Gaps != 1 {
		t.Errorf("after reset %+v", c)
	}
}

func TestBurstFlush(t *testing.T) {
	for flush, want := range []uint64{2, 3} {
		b := flibtest.New(t, Library(), "BURST", int64(1), int64(2), int64(1), int64(0), int64(0), int64(0), int64(1), int64(flush))
		end := b.Function.(flib.Finisher).End
		end() // without packets
		b.Process(at(1e15, 60), at(1e15+1e9, 60), at(1e15+2e9, 60))
		end()
		end()
		if c := categories(t, b)[2]; c.Packets != want || c.Bursts != want {
			t.Errorf("flush %d: %+v, want %d bursts", flush, c, want)
		}
	}
}

// TestBurstExtremes: no times and no lengths make it fail.
func TestBurstExtremes(t *testing.T) {
	for _, speed := range []int64{1, math.MaxInt32} {
		b := flibtest.New(t, Library(), "BURST", int64(0), int64(math.MaxInt32), int64(math.MaxInt32),
			int64(math.MaxInt32), int64(math.MaxInt32), int64(math.MaxInt32), speed)
		for _, ts := range []uint64{0, math.MaxUint64, 0, 1 << 63, math.MaxUint64, 1, 1} {
			b.Process(&flib.Packet{TS: ts, Wire: math.MaxUint32}, &flib.Packet{TS: ts})
		}
		var bytes, packets uint64
		for _, c := range categories(t, b) {
			bytes += c.Bytes
			packets += c.Packets
		}
		fn := b.Function.(*bursts)
		if bytes+fn.bytes != 7*math.MaxUint32 || packets+fn.packets != 14 {
			t.Errorf("%d and %d bytes, %d and %d packets", bytes, fn.bytes, packets, fn.packets)
		}
	}
}

// slowBursts is BURST in exact fractions of ns.
func slowBursts(pkts []*flib.Packet, nanos []int64, arg []int64) []result.BurstCategory {
	last := (arg[1]-arg[0])/arg[2] + 1
	out := make([]result.BurstCategory, last+1)
	category := func(size int64) *result.BurstCategory {
		if size < arg[0] {
			return &out[0]
		}
		return &out[min((size-arg[0])/arg[2]+1, last)]
	}
	perByte := big.NewRat(8000, arg[6])
	var bytes, packets int64
	for i, p := range pkts {
		if i > 0 {
			expected := new(big.Rat).SetInt64(int64(pkts[i-1].Wire))
			expected.Mul(expected, perByte).Add(expected, new(big.Rat).SetInt64(nanos[i-1]+arg[3]))
			now := new(big.Rat).SetInt64(nanos[i])
			late := new(big.Rat).Sub(now, expected)
			if late.Cmp(new(big.Rat).SetInt64(arg[4])) > 0 || late.Cmp(new(big.Rat).SetInt64(-arg[5])) < 0 {
				c := category(bytes)
				c.Bytes, c.Packets = c.Bytes+uint64(bytes), c.Packets+uint64(packets)
				if bytes > 0 {
					c.Bursts++
				}
				bytes, packets = 0, 0
				room := late.Quo(late, perByte)
				gap := max(new(big.Int).Quo(room.Num(), room.Denom()).Int64(), 0)
				c = category(gap)
				c.GapBytes, c.Gaps = c.GapBytes+uint64(gap), c.Gaps+1
			}
		}
		bytes, packets = bytes+int64(p.Wire), packets+1
	}
	return out
}

// TestBurstsAgainstFractions compares with a simple model, mainly at the limits.
func TestBurstsAgainstFractions(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		speed := []int64{1, 3, 10, 7, 100, 1000, 10_000, 100_000, 400_000}[r.IntN(9)]
		low := r.Int64N(1000)
		arg := []int64{low, low + 1 + r.Int64N(20000), 10 + r.Int64N(2000), r.Int64N(100), r.Int64N(100), r.Int64N(100), speed}
		var pkts []*flib.Packet
		var nanos []int64
		now := int64(1e18)
		for range 200 {
			wire := uint32(r.IntN(1600))
			pkts, nanos = append(pkts, at(now, wire)), append(nanos, now)
			now += int64(wire)*8000/speed + arg[3]
			switch r.IntN(5) {
			case 0:
				now += arg[4] + r.Int64N(3) - 1
			case 1:
				now -= arg[5] + r.Int64N(3) - 1
			case 2:
				now += r.Int64N(1 << 32)
			case 3:
				now -= r.Int64N(1000)
			}
		}
		b := flibtest.New(t, Library(), "BURST", arg[0], arg[1], arg[2], arg[3], arg[4], arg[5], arg[6])
		for part := range slices.Chunk(pkts, 1+r.IntN(64)) {
			if out := b.Process(part...); len(out) != len(part) {
				t.Fatalf("%d of %d packets went on", len(out), len(part))
			}
		}
		if got, want := categories(t, b), slowBursts(pkts, nanos, arg); !slices.Equal(got, want) {
			t.Fatalf("BURST%v gives\n%v, want\n%v", arg, got, want)
		}
	}
}

func TestBurstArguments(t *testing.T) {
	good := []any{int64(0), int64(10000), int64(1000), int64(16000), int64(1230400), int64(1230400), int64(10)}
	for _, c := range []struct {
		index int
		value int64
		want  mapierr.Code
	}{
		{0, -1, mapierr.InvalidArgument1},
		{0, 10000, mapierr.InvalidArgument2},
		{1, 0, mapierr.InvalidArgument2},
		{1, -5, mapierr.InvalidArgument2},
		{2, 0, mapierr.InvalidArgument3},
		{2, -1, mapierr.InvalidArgument3},
		{2, 1, mapierr.InvalidArgument3}, // 10002 categories
		{3, -1, mapierr.InvalidArgument4},
		{4, -1, mapierr.InvalidArgument5},
		{5, -1, mapierr.InvalidArgument6},
		{6, 0, mapierr.InvalidArgument},
		{6, -1, mapierr.InvalidArgument},
	} {
		args := slices.Clone(good)
		args[c.index] = c.value
		_, err := flibtest.Apply(t, Library(), "BURST", args...)
		if got := mapierr.CodeOf(err, 0); got != c.want {
			t.Errorf("BURST%v gives %v, want %d", args, err, int(c.want))
		}
	}
	for n := range good {
		if _, err := flibtest.Apply(t, Library(), "BURST", good[:n]...); mapierr.CodeOf(err, 0) != mapierr.BadArgument(n) {
			t.Errorf("%d arguments give %v", n, err)
		}
	}
	if _, err := flibtest.Apply(t, Library(), "BURST", append(slices.Clone(good), int64(2))...); mapierr.CodeOf(err, 0) != mapierr.InvalidArgument {
		t.Errorf("flush 2 gives %v", err)
	}
	args := slices.Clone(good)
	args[0], args[1], args[2] = int64(0), int64(maxCategories-2), int64(1)
	b := flibtest.New(t, Library(), "BURST", args...)
	if n := len(categories(t, b)); n != maxCategories {
		t.Errorf("%d categories, want %d", n, maxCategories)
	}
}

func TestBurstDoesNotAllocate(t *testing.T) {
	b := flibtest.New(t, Library(), "BURST", int64(0), int64(10000), int64(1000), int64(0), int64(0), int64(0), int64(10))
	pkts := []*flib.Packet{at(1e15, 60), at(1e15+1e9, 60)}
	if n := testing.AllocsPerRun(1000, func() { b.Function.Process(pkts) }); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
}

func TestParseBurst(t *testing.T) {
	b := make([]byte, 2*result.BurstCategorySize)
	for i := range 10 {
		binary.NativeEndian.PutUint64(b[8*i:], uint64(i+1))
	}
	list, ok := result.ParseBurst(b)
	if !ok || len(list) != 2 || list[1] != (result.BurstCategory{Bytes: 6, Packets: 7, Bursts: 8, GapBytes: 9, Gaps: 10}) {
		t.Errorf("%v, %v", list, ok)
	}
	for n := range b {
		if _, ok := result.ParseBurst(b[:n]); ok != (n == result.BurstCategorySize) {
			t.Errorf("%d bytes: %v", n, ok)
		}
	}
}

// BenchmarkBurst uses bursts of five packets.
func BenchmarkBurst(b *testing.B) {
	fn := flibtest.New(b, Library(), "BURST", int64(0), int64(100000), int64(1000), int64(100), int64(100), int64(100), int64(1000)).Function
	var pkts []*flib.Packet
	now := int64(1e15)
	for i := range 256 {
		pkts = append(pkts, at(now, 1500))
		if now += 1500*8 + 100; i%5 == 0 {
			now += 1e6
		}
	}
	b.ReportAllocs()
	packets := 0
	for b.Loop() {
		fn.Process(pkts)
		packets += len(pkts)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
}
