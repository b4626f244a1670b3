package stdflib

import (
	"math"
	"math/rand/v2"
	"testing"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/mapierr"
	"gomapi/mapi/result"
)

// packetAt returns a packet of which only the time matters.
func packetAt(ts uint64) *flib.Packet { return &flib.Packet{TS: ts, LinkType: flibtest.EN10MB} }

// A wrongArgument replaces one argument of a good list; wantCodes applies a function with
// one wrong argument at a time.
type wrongArgument struct {
	at   int
	arg  any
	want mapierr.Code
}

func wantCodes(t *testing.T, w *flibtest.World, name string, good []any, wrong []wrongArgument) {
	t.Helper()
	if _, err := w.Apply(Library(), name, good...); err != nil {
		t.Errorf("%s%v: %v", name, good, err)
	}
	for _, c := range wrong {
		args := append([]any(nil), good...)
		args[c.at] = c.arg
		_, err := w.Apply(Library(), name, args...)
		if got := mapierr.CodeOf(err, 0); got != c.want {
			t.Errorf("%s%v gives %d (%v), want %d", name, args, int(got), err, int(c.want))
		}
	}
}

func TestBinop(t *testing.T) {
	w := flibtest.NewWorld(t)
	left, right := w.Add(1, 2, 8), w.Add(7, 8, 4)
	add := w.New(Library(), "BINOP", int64(0), int64(1), int64(2), int64(7), int64(8))
	sub := w.New(Library(), "BINOP", int64(1), int64(1), int64(2), int64(7), int64(8))
	if add.Uint64() != 0 {
		t.Errorf("%d before the first packet", add.Uint64())
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		a, b := random.Uint64(), uint64(random.Uint32())
		left.Result.Set(a)
		right.Result.Set(b)
		in := numbered(1 + random.IntN(5))
		if out := add.Process(in...); len(out) != len(in) {
			t.Fatalf("%d of %d packets passed", len(out), len(in))
		}
		sub.Process(in...)
		if add.Uint64() != a+b || sub.Uint64() != a-b {
			t.Fatalf("%d, %d: sum %d, difference %d", a, b, add.Uint64(), sub.Uint64())
		}
	}
	left.Result.Set(5)
	right.Result.Set(7)
	for _, target := range []*flibtest.Target{left, right} {
		target.Live.Store(false)
		add.Process(numbered(1)...)
		if v, ok := result.ParseBinop(add.Result()); !ok || v != result.BinopNoValue {
			t.Errorf("without a value: %d, %v", v, ok)
		}
		target.Live.Store(true)
		if add.Process(numbered(1)...); add.Uint64() != 12 {
			t.Errorf("alive again: %d", add.Uint64())
		}
	}
	if sub.Process(numbered(1)...); sub.Uint64() != math.MaxUint64-1 {
		t.Errorf("5 - 7 gives %d", sub.Uint64())
	}
}

func TestBinopArguments(t *testing.T) {
	w := flibtest.NewWorld(t)
	w.Add(1, 1, 8)
	good := []any{int64(1), int64(1), int64(1), int64(1), int64(1)}
	wantCodes(t, w, "BINOP", good, []wrongArgument{
		{0, int64(2), 7001}, {0, int64(-1), 7001}, {0, "ADD", 7001},
		{1, int64(2), 7002}, {1, "1", 7002}, {2, int64(2), 7002}, {2, "1", 7003},
		{3, int64(2), 7004}, {3, "1", 7004}, {4, int64(2), 7004}, {4, "1", 7005},
	})
	_, err := w.Apply(Library(), "BINOP", int64(9), int64(1), int64(1), int64(2), int64(1))
	if mapierr.CodeOf(err, 0) != 7004 {
		t.Errorf("type and second target wrong: %v, want 7004", err)
	}
	_, err = w.Apply(Library(), "BINOP", int64(9), int64(2), int64(1), int64(2), int64(1))
	if mapierr.CodeOf(err, 0) != 7002 {
		t.Errorf("all wrong: %v, want 7002", err)
	}
}

// readers are functions that read others, with arguments for the target 1, 1.
var readers = []struct {
	name string
	args []any
}{
	{"BINOP", []any{int64(1), int64(1), int64(1), int64(1), int64(1)}},
	{"BUCKET", []any{int64(1), int64(1), "0", int64(0)}},
	{"BUCKET", []any{int64(1), int64(1), "1000", int64(1)}},
	{"STATS", []any{int64(1), int64(1), "0"}},
	{"STATS", []any{int64(1), int64(1), "1000"}},
	{"THRESHOLD", []any{int64(2), int64(1), int64(1), uint64(0), int64(1), int64(0), int64(0), int64(0)}},
	{"THRESHOLD", []any{int64(2 + 64), int64(1), int64(1), uint64(0), int64(1), int64(1), int64(0), int64(0)}},
	{"THRESHOLD", []any{int64(2 + 128), int64(1), int64(1), uint64(0), int64(1), int64(1000), int64(100), int64(0)}},
}

// tick is the time between packets in the benchmarks: most readers have something to do
// at about every tenth packet.
const tick = 500

func TestReadersDoNotAllocate(t *testing.T) {
	for _, r := range readers {
		w := flibtest.NewWorld(t)
		w.Add(1, 1, 8)
		b := w.New(Library(), r.name, r.args...)
		in := numbered(3)
		if n := testing.AllocsPerRun(1000, func() { processOn(b.Function, in) }); n != 0 {
			t.Errorf("%s%v: %v allocations", r.name, r.args, n)
		}
	}
}

// processOn makes the packets newer, passes them to the function, and lets time pass.
func processOn(f flib.Function, in []*flib.Packet) {
	for _, p := range in {
		p.TS += tick * uint64(len(in))
		f.Process(in)
	}
	flibtest.Expire(f, in[len(in)-1].TS)
}

func BenchmarkReaders(b *testing.B) {
	for _, r := range readers {
		b.Run(r.name, func(b *testing.B) {
			w := flibtest.NewWorld(b)
			target := w.Add(1, 1, 8)
			f := w.New(Library(), r.name, r.args...).Function
			in := numbered(1) // as in a chain in lockstep
			b.ReportAllocs()
			for b.Loop() {
				in[0].TS += tick
				target.Result.Set(in[0].TS)
				f.Process(in)
			}
		})
	}
}
