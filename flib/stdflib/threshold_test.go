package stdflib

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/mapi/result"
)

func eventsOf(t *testing.T, b *flibtest.Bench) (out []result.ThresholdEvent) {
	t.Helper()
	for _, raw := range b.Entries() {
		e, ok := result.ParseThreshold(raw)
		if !ok {
			t.Fatalf("event of %d bytes", len(raw))
		}
		out = append(out, e)
	}
	return out
}

// us returns the packet time n microseconds after the start.
func us(n uint64) uint64 { return 1<<32 + (n*second+500_000)/1_000_000 }

// moment returns the n-th multiple of a period in microseconds.
func moment(n, micros uint64) uint64 { return us(0) + n*((micros*second+500_000)/1_000_000) }

// An instant of a script is a packet, and the target's value before and after it.
type instant struct {
	ts     uint64
	before uint64
	after  uint64
	other  bool // the packet does not reach the function, but time passes
}

// play plays a script to a THRESHOLD as the engine does. At packets it runs after its
// target, at fixed moments before it.
func play(b *flibtest.Bench, target *flibtest.Target, script ...instant) {
	for _, s := range script {
		target.Result.Set(s.before)
		if len(b.Function.(flib.Predecessor).Precedes()) == 0 {
			target.Result.Set(s.after)
		}
		if !s.other {
			b.Process(packetAt(s.ts))
		}
		target.Result.Set(s.after)
		b.Expire(s.ts)
	}
}

// steps returns a script of packets, one every 10 us, that set the target to values.
func steps(values ...uint64) (script []instant) {
	for i, v := range values {
		script = append(script, instant{ts: us(uint64(i) * 10), after: v})
		if i > 0 {
			script[i].before = values[i-1]
		}
	}
	return script
}

func TestThresholdAtPackets(t *testing.T) {
	const above31 = 0xffffffff_fffffffe // -2 as an int
	for _, c := range []struct {
		typ       int64
		threshold uint64
		boundary  int64
		values    []uint64
		want      []int // indexes of events
	}{
		{0, 5, 0, []uint64{4, 5, 6, 0x105, 0x1ff}, []int{1, 3}},
		{0, 5, 1, []uint64{4, 5, 6, 0x105, 0x1ff}, []int{2, 4}},
		{0, 5, 2, []uint64{4, 5, 6, 0x105, 0x1ff, 0x100}, []int{0, 5}},
		{1, 5, 1, []uint64{4, 5, 6, above31, 1 << 31, 1<<31 - 1}, []int{2, 5}},
		{1, 5, 2, []uint64{4, 5, 6, above31, 1 << 31, 1<<32 + 5}, []int{0, 3, 4}},
		{1, math.MaxUint64, 1, []uint64{0, 0xffffffff, 0xfffffffe}, []int{0}},
		{2, 5, 0, []uint64{4, 5, 6, 1<<32 + 5}, []int{1}},
		{2, 1 << 63, 1, []uint64{1 << 63, 1<<63 + 1, math.MaxUint64, 0}, []int{1, 2}},
		{2, 1 << 63, 2, []uint64{1 << 63, 1<<63 - 1, math.MaxUint64, 0}, []int{1, 3}},
		{2, 3, 4, []uint64{0, 0, 7, 10, 13, 15, 18}, []int{3, 4, 6}},
		{2, 0, 4, []uint64{0, 0, 7, 7, 8}, []int{0, 1, 2, 3}}, // no difference up to the first value
		{2, 2, 8, []uint64{0, 9, 11, 14, 10, 0, 3}, []int{3, 6}},
		{2, 0, 16, []uint64{9, 11, 10, 10, 0}, []int{2, 4}},
		{1, math.MaxUint64 - 1, 16, []uint64{9, 7, 4}, []int{2}}, // less than -2
	} {
		w := flibtest.NewWorld(t)
		target := w.Add(1, 1, 8)
		b := w.New(Library(), "THRESHOLD", c.typ, int64(1), int64(1), c.threshold, c.boundary, int64(0), int64(0), int64(0))
		play(b, target, steps(c.values...)...)
		var got []int
		for _, e := range eventsOf(t, b) {
			got = append(got, int((e.TS-us(0)+second/2_000_000)/(second/100_000)))
			if e.Remaining != result.Unlimited {
				t.Errorf("%+v", e)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("type %d, threshold %d, boundary %d, values %d: events at %d, want %d", c.typ, int64(c.threshold), c.boundary, c.values, got, c.want)
		}
	}
}

func TestThresholdIsQuietAfterAnEvent(t *testing.T) {
	w := flibtest.NewWorld(t)
	target := w.Add(1, 1, 8)
	target.Result.Set(1)
	b := w.New(Library(), "THRESHOLD", int64(2), int64(1), int64(1), uint64(0), int64(1), int64(25), int64(0), int64(3))
	var in []*flib.Packet
	for _, at := range []uint64{100, 110, 124, 90, 125, 126, 150, 1000, 2000} { // 90: late
		in = append(in, packetAt(us(at)))
	}
	if out := b.Process(in...); len(out) != len(in) {
		t.Errorf("%d of %d packets passed", len(out), len(in))
	}
	want := []result.ThresholdEvent{
		{TS: us(100), Value: 1, Remaining: 2}, {TS: us(125), Value: 1, Remaining: 1}, {TS: us(150), Value: 1, Remaining: 0},
	}
	if got := eventsOf(t, b); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	// A clock that was set back does not silence it.
	b = w.New(Library(), "THRESHOLD", int64(2), int64(1), int64(1), uint64(0), int64(1), int64(25), int64(0), int64(0))
	b.Process(packetAt(us(1000)), packetAt(us(5)))
	if got := eventsOf(t, b); len(got) != 2 {
		t.Errorf("%+v", got)
	}
}

func TestThresholdPolls(t *testing.T) {
	w := flibtest.NewWorld(t)
	target := w.Add(1, 1, 8)
	b := w.New(Library(), "THRESHOLD", int64(2+64), int64(1), int64(1), uint64(4), int64(1), int64(100), int64(9), int64(0))
	play(b, target,
		instant{ts: us(0), after: 5},
		instant{ts: moment(1, 100), before: 5, after: 4}, // at the moment: part of it
		instant{ts: us(150), before: 4, after: 6},
		instant{ts: us(201), before: 6, after: 7},              // passes 200: 6, not 7
		instant{ts: us(420), before: 7, after: 7, other: true}, // passes 300 and 400
		instant{ts: us(430), before: 7, after: 0},
		instant{ts: us(10), before: 0, after: 9},  // late
		instant{ts: us(501), before: 9, after: 0}, // 500
		instant{ts: us(999), before: 0, after: 9}, // 600 to 900
	)
	want := []result.ThresholdEvent{{TS: moment(2, 100), Value: 6}, {TS: moment(3, 100), Value: 7}, {TS: moment(4, 100), Value: 7}, {TS: moment(5, 100), Value: 9}}
	for i := range want {
		want[i].Remaining = result.Unlimited
	}
	if got := eventsOf(t, b); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestThresholdWindow(t *testing.T) {
	w := flibtest.NewWorld(t)
	target := w.Add(1, 1, 8)
	target.Result.Set(1000)
	// 400 us with four looks: increases count from four looks before.
	b := w.New(Library(), "THRESHOLD", int64(2+128), int64(1), int64(1), uint64(10), int64(1), int64(400), int64(4), int64(0))
	look := func(n uint64) uint64 { return us(0) + n*((moment(1, 400)-us(0))/4) }
	script := []instant{{ts: us(0), before: 1000, after: 1000}}
	values := []uint64{1005, 1009, 1011, 1012, 1014, 1020, 1022, 1022, 1022, 1022, 1000}
	var want []result.ThresholdEvent
	for i, v := range values {
		n := uint64(i + 1)
		script = append(script, instant{ts: look(n), before: script[i].after, after: v})
		from := uint64(1000)
		if i >= 4 {
			from = values[i-4]
		}
		if int64(v-from) > 10 {
			want = append(want, result.ThresholdEvent{TS: look(n), Value: v - from, Remaining: result.Unlimited})
		}
	}
	play(b, target, append(script, instant{ts: us(3_000_000), before: 1000, after: 1000})...)
	if got := eventsOf(t, b); !slices.Equal(got, want) || len(want) < 4 {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// model is THRESHOLD at fixed moments. It looks one by one and keeps all values.
type model struct {
	typ, boundary int64
	threshold     uint64
	looks         int
	values        []int64 // at the start and at each moment
	sums          []int64 // from which differences count
	events        []result.ThresholdEvent
	limit         int
}

func (m *model) look(ts, word uint64) {
	v := m.read(word)
	m.values = append(m.values, v)
	if m.typ&128 != 0 {
		v -= m.values[max(0, len(m.values)-1-m.looks)]
	}
	boundary := m.boundary
	if boundary >= 4 {
		last := v
		if i := slices.IndexFunc(m.sums, func(s int64) bool { return s != 0 }); i >= 0 {
			last = m.sums[len(m.sums)-1]
		}
		m.sums = append(m.sums, v)
		v -= last
		boundary = map[int64]int64{4: 0, 8: 1, 16: 2}[boundary]
	}
	less, equal := v < int64(m.threshold), v == int64(m.threshold)
	if m.typ == 66 && m.boundary < 4 {
		less = uint64(v) < m.threshold
	}
	hit := []bool{equal, !less && !equal, less}[boundary]
	if !hit || m.limit > 0 && len(m.events) == m.limit {
		return
	}
	e := result.ThresholdEvent{TS: ts, Value: uint64(v), Remaining: result.Unlimited}
	if m.limit > 0 {
		e.Remaining = int32(m.limit - len(m.events) - 1)
	}
	m.events = append(m.events, e)
}

func (m *model) read(word uint64) int64 {
	switch m.typ & 63 {
	case 0:
		return int64(word & 0xff)
	case 1:
		return int64(int32(word & 0xffffffff))
	}
	return int64(word)
}

// TestThresholdAgainstModel watches random values at random times in the modes with fixed
// moments.
func TestThresholdAgainstModel(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	for range 600 {
		m := &model{typ: int64([]int{64, 128}[random.IntN(2)] + random.IntN(3)), looks: 1 + random.IntN(6)*random.IntN(8), limit: random.IntN(2) * random.IntN(30)}
		m.boundary = []int64{0, 1, 2, 4, 8, 16}[random.IntN(6)]
		if m.typ&63 == 0 {
			m.boundary %= 3
		}
		m.threshold = uint64(random.IntN(12) - 3)
		step := uint64(100)
		timeout := int64(100)
		if m.typ&128 != 0 {
			timeout *= int64(m.looks)
		}
		ticks := (uint64(timeout)*second + 500_000) / 1_000_000
		if m.typ&128 != 0 {
			ticks /= uint64(m.looks)
		}
		w := flibtest.NewWorld(t)
		target := w.Add(1, 1, 8)
		b := w.New(Library(), "THRESHOLD", m.typ, int64(1), int64(1), m.threshold, m.boundary, timeout, int64(m.looks), int64(m.limit))
		value, ts, next := uint64(random.IntN(5)), us(0), us(0)+ticks
		m.values = []int64{m.read(value)}
		for range 150 {
			after := value + uint64(random.IntN(12)) - 3
			for ; ts > next; next += ticks {
				m.look(next, value)
			}
			play(b, target, instant{ts: ts, before: value, after: after, other: ts > us(0) && random.IntN(3) == 0 && after == value})
			value = after
			ts += uint64(random.Int64N(int64(step) * second / 1_000_000 * 3 / 2))
			if random.IntN(10) == 0 {
				ts += uint64(random.Int64N(int64(20 * ticks)))
			}
		}
		if got := eventsOf(t, b); !slices.Equal(got, m.events) {
			t.Fatalf("%+v:\n%+v\nwant\n%+v", *m, got, m.events)
		}
	}
}

// TestThresholdAfterGap passes more moments than anybody could look at.
func TestThresholdAfterGap(t *testing.T) {
	for _, limit := range []int64{0, 7, math.MaxInt32} {
		for _, typ := range []int64{2 + 64, 2 + 128} {
			w := flibtest.NewWorld(t)
			target := w.Add(1, 1, 8)
			target.Result.Set(9)
			b := w.New(Library(), "THRESHOLD", typ, int64(1), int64(1), uint64(10), int64(2), int64(1), int64(1), limit)
			b.Process(packetAt(1))
			if out := b.Expire(math.MaxInt64); len(out) != 0 {
				t.Errorf("%d packets out of nothing", len(out))
			}
			ticks := uint64(4295)
			n := uint64(math.MaxInt64-2) / ticks
			all := n
			if limit > 0 {
				all = min(n, uint64(limit))
			}
			got := eventsOf(t, b)
			if len(got) < int(min(all, thresholdEvents)) {
				t.Fatalf("%d events, want the last of %d", len(got), all)
			}
			for i, e := range got {
				number := all - uint64(len(got)-i) + 1
				want := result.ThresholdEvent{TS: 1 + number*ticks, Value: 9, Remaining: result.Unlimited}
				if typ == 2+128 {
					want.Value = 0
				}
				if limit > 0 {
					want.Remaining = int32(all - number)
				}
				if e != want {
					t.Fatalf("event %d of %d is %+v, want %+v", number, all, e, want)
				}
			}
			if c := b.Ring.Shown(); c.Written+c.Full != all {
				t.Errorf("%+v, want %d events", c, all)
			}
		}
	}
}

func TestThresholdOfDeadTarget(t *testing.T) {
	for _, typ := range []int64{2, 2 + 64, 2 + 128} {
		w := flibtest.NewWorld(t)
		target := w.Add(1, 1, 8)
		target.Live.Store(false)
		b := w.New(Library(), "THRESHOLD", typ, int64(1), int64(1), uint64(10), int64(2), int64(10), int64(0), int64(0))
		play(b, target, steps(1, 2, 3, 4)...)
		if got := eventsOf(t, b); len(got) != 0 {
			t.Errorf("type %d: %+v", typ, got)
		}
		target.Live.Store(true)
		play(b, target, instant{ts: us(45), before: 100, after: 100}, instant{ts: us(55), before: 105, after: 105})
		got := eventsOf(t, b)
		// Increases count from the first value: 0, 0 and 5 at 30, 40, 50.
		if want := map[int64]int{2: 0, 2 + 64: 0, 2 + 128: 3}[typ]; len(got) != want {
			t.Errorf("type %d: %+v", typ, got)
		}
		b.Function.(flib.Finisher).End()
	}
}

func TestThresholdArguments(t *testing.T) {
	w := flibtest.NewWorld(t)
	target := w.Add(1, 1, 8)
	good := []any{int64(2 + 64), int64(1), int64(1), uint64(math.MaxUint64), int64(16), int64(1), int64(-3), int64(-1)}
	wantCodes(t, w, "THRESHOLD", good, []wrongArgument{
		{0, int64(3 + 64), 7001}, {0, int64(-1), 7001}, {0, int64(2 + 64 + 128), 7001}, {0, int64(2 + 256), 7001}, {0, "2", 7001},
		{1, int64(2), 7002}, {1, "1", 7002}, {2, int64(0), 7002}, {2, "1", 7003}, {3, int64(-1), 7004}, {3, "1", 7004},
		{4, int64(3), 7005}, {4, int64(-1), 7005}, {4, int64(32), 7005}, {4, "1", 7005}, {0, int64(64), 7005}, // char
		{5, int64(-1), 7011}, {5, int64(0), 7011}, {5, "1", 7011}, {6, int64(maxDivider + 1), 7000}, {6, "1", 7000},
		{7, int64(1 << 31), 7000}, {7, "1", 7000},
	})
	b, err := w.Apply(Library(), "THRESHOLD", good...)
	if err != nil {
		t.Fatal(err)
	}
	if refs := b.Function.(flib.Predecessor).Precedes(); len(refs) != 1 || refs[0].Result != target.Result {
		t.Errorf("precedes %v", refs)
	}
	if _, err := w.Apply(Library(), "THRESHOLD", good[:6]...); err != nil {
		t.Errorf("divider and count left out: %v", err)
	}
}
