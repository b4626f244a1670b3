package stdflib

import (
	"math/rand/v2"
	"testing"

	"gomapi/flib"
	"gomapi/flib/flibtest"
)

// BenchmarkTinyPeriods ends far more time at each packet than anybody can use. A packet
// must still cost less than 2 us, because the capture goroutine serves everybody.
func BenchmarkTinyPeriods(b *testing.B) {
	for _, c := range []struct {
		about, name string
		args        []any
		value       uint64 // the target's values are below this
	}{
		{"bucket", "BUCKET", []any{int64(1), int64(1), "1", int64(0)}, 1},
		{"poll", "THRESHOLD", []any{int64(2 + 64), int64(1), int64(1), uint64(10), int64(2), int64(1), int64(1), int64(0)}, 1},
		{"window", "THRESHOLD", []any{int64(2 + 128), int64(1), int64(1), uint64(10), int64(2), int64(1), int64(4096), int64(0)}, 1},
		{"changes", "THRESHOLD", []any{int64(2 + 128), int64(1), int64(1), uint64(3), int64(1), int64(4_000_000), int64(4096), int64(0)}, 1000},
		{"differences", "THRESHOLD", []any{int64(2 + 128), int64(1), int64(1), uint64(3), int64(16), int64(4_000_000), int64(4096), int64(0)}, 1000},
	} {
		b.Run(c.about, func(b *testing.B) {
			random := rand.New(rand.NewPCG(1, 2))
			w := flibtest.NewWorld(b)
			target := w.Add(1, 1, 8)
			f := w.New(Library(), c.name, c.args...).Function
			p := packetAt(1 << 40)
			in := []*flib.Packet{p}
			b.ReportAllocs()
			for b.Loop() {
				target.Result.Set(random.Uint64N(c.value))
				p.TS += random.Uint64N(2 * second / 100) // 100 packets a second
				flibtest.Expire(f, p.TS)
				f.Process(in)
			}
		})
	}
}
