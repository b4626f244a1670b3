package stdflib

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
	"gomapi/mapi/result"
)

// packetsAt makes packets with the given times.
func packetsAt(times ...uint64) []*flib.Packet {
	pkts := make([]*flib.Packet, len(times))
	for i, ts := range times {
		pkts[i] = &flib.Packet{TS: ts, LinkType: flibtest.EN10MB}
	}
	return pkts
}

func times(pkts []*flib.Packet) []uint64 {
	var out []uint64
	for _, p := range pkts {
		out = append(out, p.TS)
	}
	return out
}

func startStopResult(t testing.TB, b *flibtest.Bench) result.StartStop {
	t.Helper()
	s, ok := result.ParseStartStop(b.Result())
	if !ok {
		t.Fatal("result is too short")
	}
	return s
}

// TestStartStop uses packets every tick from 100 to 199, and a late one.
func TestStartStop(t *testing.T) {
	all := []uint64{100, 99}
	for ts := uint64(101); ts < 200; ts++ {
		all = append(all, ts)
	}
	for _, c := range []struct {
		start, stop string
		from, to    uint64 // of those that pass
	}{
		{"+0", "+0s", 0, math.MaxUint64},
		{"+0s", "+10", 0, 110},
		{"+10", "+0s", 110, 110},
		{"+10", "+1", 110, 111},
		{"+1", "+1000", 101, 1101},
		{"+100", "+10", 200, 210},
		{"+2000000000s", "+2000000000s", math.MaxUint64, math.MaxUint64},
	} {
		for _, batch := range []int{1, 7, len(all)} {
			b := flibtest.New(t, Library(), "STARTSTOP", c.start, c.stop)
			var got []uint64
			for part := range slices.Chunk(packetsAt(all...), batch) {
				got = append(got, times(b.Process(part...))...)
			}
			want := result.StartStop{First: 100}
			var passed []uint64
			for _, ts := range all {
				if c.from <= ts && ts <= c.to {
					passed = append(passed, ts)
				}
			}
			if len(passed) > 0 {
				want.FirstPassed, want.Last = passed[0], passed[len(passed)-1]
			}
			if !slices.Equal(got, passed) {
				t.Errorf("%s %s passes %v, want %v", c.start, c.stop, got, passed)
			}
			if r := startStopResult(t, b); r != want {
				t.Errorf("%s %s gives %+v, want %+v", c.start, c.stop, r, want)
			}
		}
	}
}

// TestStartStopByTheClock uses times in the daemon's time zone.
func TestStartStopByTheClock(t *testing.T) {
	const layout = "2006-01-02 15:04:05"
	base := time.Date(2004, 7, 9, 14, 56, 7, 0, time.Local)
	second := func(n int) uint64 { return pkt.FromTime(base) + uint64(int64(n)<<32) }
	pkts := packetsAt(second(-1), second(0)-1, second(0), second(5), second(10), second(10)+1, second(11))
	epoch := time.Unix(0, 0).In(time.Local).Format(layout)
	elsewhere := time.FixedZone("", 12600)
	for _, c := range []struct {
		start, stop string
		passed      []*flib.Packet
	}{
		{base.Format(layout), base.Add(10 * time.Second).Format(layout), pkts[2:5]},
		{base.Format(layout), "+10s", pkts[2:5]},
		{base.Format(layout), "+0s", pkts[2:3]},
		{base.Format(layout), epoch, pkts[2:]},
		{epoch, base.Add(10 * time.Second).Format(layout), pkts[:5]},
		{epoch, "+0s", pkts},
		{base.Format("2006-1-2 15:4:5"), "+10000ms", pkts[2:5]},
		{base.In(elsewhere).Format(time.RFC3339), base.Add(10 * time.Second).UTC().Format(time.RFC3339), pkts[2:5]},
		{base.Add(time.Nanosecond).Format(time.RFC3339Nano), "+9.9s", pkts[3:4]},
		{time.Unix(0, 0).UTC().Format(time.RFC3339), "+0s", pkts},
		{base.Add(10 * time.Second).Format(layout), base.Format(layout), nil},
	} {
		b := flibtest.New(t, Library(), "STARTSTOP", c.start, c.stop)
		if got := b.Process(pkts...); !slices.Equal(got, c.passed) {
			t.Errorf("%s %s passes %v, want %v", c.start, c.stop, times(got), times(c.passed))
		}
		if r := startStopResult(t, b); r.First != second(-1) {
			t.Errorf("%s %s: first %d", c.start, c.stop, r.First)
		}
	}
}

// TestStartStopAgainstTheRule applies the original's rule to each packet.
func TestStartStopAgainstTheRule(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		start, length := uint64(r.IntN(1000)), uint64(r.IntN(1000))
		if r.IntN(4) == 0 {
			start = 0
		}
		first := 1<<40 + uint64(r.IntN(100))
		stampsOf := []uint64{first}
		for range 300 {
			stampsOf = append(stampsOf, first-500+uint64(r.IntN(3000)))
		}
		var want []uint64
		for _, ts := range stampsOf {
			end := start + length
			if start > 0 && first+start > ts || end > 0 && first+end < ts {
				continue
			}
			want = append(want, ts)
		}
		b := flibtest.New(t, Library(), "STARTSTOP", fmt.Sprint("+", start), fmt.Sprint("+", length))
		if got := times(b.Process(packetsAt(stampsOf...)...)); !slices.Equal(got, want) {
			t.Fatalf("+%d +%d passes %v, want %v", start, length, got, want)
		}
	}
}

func TestStartStopArguments(t *testing.T) {
	const day = "2004-07-09 14:56:07"
	for _, c := range []struct {
		args []any
		want mapierr.Code
	}{
		{nil, mapierr.InvalidArgument1},
		{[]any{"+1s"}, mapierr.InvalidArgument2},
		{[]any{int64(1), "+1s"}, mapierr.InvalidArgument1},
		{[]any{"+1s", int64(1)}, mapierr.InvalidArgument2},
		{[]any{"+1s", "+1s", "+1s"}, mapierr.InvalidArgument3},
		{[]any{"+1x", "+1s"}, mapierr.InvalidArgument1},
		{[]any{"+", "+1s"}, mapierr.InvalidArgument1},
		{[]any{"+-1s", "+1s"}, mapierr.InvalidArgument1},
		{[]any{"+1s", "+NaN"}, mapierr.InvalidArgument2},
		{[]any{"+1s", "+99999999999s"}, mapierr.InvalidArgument2},
		{[]any{"+1s", day}, mapierr.InvalidArgument},
		{[]any{"+1s", "1s"}, mapierr.InvalidArgument},
		{[]any{"+1s", ""}, mapierr.InvalidArgument},
		{[]any{"", "+1s"}, mapierr.InvalidArgument},
		{[]any{"1s", "+1s"}, mapierr.InvalidArgument},
		{[]any{day, "2004-07-09"}, mapierr.InvalidArgument},
		{[]any{day, "+1"}, 0},
		{[]any{day, "+x"}, mapierr.InvalidArgument2},
		{[]any{"2004-13-09 14:56:07", day}, mapierr.InvalidArgument},
		{[]any{"2004-07-09 25:56:07", day}, mapierr.InvalidArgument},
		{[]any{"2004-07-09 14:56:07.5", day}, mapierr.InvalidArgument},
		{[]any{"2004-07-09T14:56:07.5Z", "2004-07-09T14:56:08+02:00"}, 0},
		{[]any{"2004-07-09T14:56:07", day}, mapierr.InvalidArgument}, // no zone
		{[]any{"1969-12-31T23:59:59.5Z", day}, mapierr.InvalidArgument},
		{[]any{day, "2106-02-07T06:28:16Z"}, mapierr.InvalidArgument},
		{[]any{"2004-07-09 14:56:07 ", day}, mapierr.InvalidArgument},
		{[]any{"1969-07-09 14:56:07", day}, mapierr.InvalidArgument},
		{[]any{day, "2107-07-09 14:56:07"}, mapierr.InvalidArgument},
	} {
		_, err := flibtest.Apply(t, Library(), "STARTSTOP", c.args...)
		if got := mapierr.CodeOf(err, 0); got != c.want {
			t.Errorf("STARTSTOP%q gives %v, want error %d", c.args, err, int(c.want))
		}
	}
}

func TestStartStopDoesNotAllocate(t *testing.T) {
	b := flibtest.New(t, Library(), "STARTSTOP", "+0s", "+0s")
	pkts := packetsAt(1, 2, 3)
	if n := testing.AllocsPerRun(1000, func() { b.Function.Process(pkts) }); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
}

func TestParseStartStop(t *testing.T) {
	b := make([]byte, result.StartStopSize)
	for i := range 3 {
		binary.NativeEndian.PutUint64(b[8*i:], uint64(i+1))
	}
	want := result.StartStop{First: 1, FirstPassed: 2, Last: 3}
	if s, ok := result.ParseStartStop(b); !ok || s != want {
		t.Errorf("%+v, %v", s, ok)
	}
	again := make([]byte, len(b))
	if want.Put(again); !slices.Equal(again, b) {
		t.Errorf("Put gives %x, want %x", again, b)
	}
	for n := range b {
		if _, ok := result.ParseStartStop(b[:n]); ok {
			t.Errorf("%d bytes are enough", n)
		}
	}
}

func BenchmarkStartStop(b *testing.B) {
	fn := flibtest.New(b, Library(), "STARTSTOP", "+100", "+1000s").Function
	pkts := numbered(256)
	b.ReportAllocs()
	packets := 0
	for b.Loop() {
		fn.Process(pkts)
		packets += len(pkts)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
}
