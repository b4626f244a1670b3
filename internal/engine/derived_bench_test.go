package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gomapi/drivers"
)

// BenchmarkForced compares a hundred flows of a user with the same flows behind a forced function,
// and with that function alone.
func BenchmarkForced(b *testing.B) {
	for name, c := range map[string]struct {
		flows int
		uid   uint32
	}{"flows": {100, 1}, "flows behind": {100, bound}, "function alone": {0, 1}, "one flow behind": {1, bound}} {
		b.Run(name, func(b *testing.B) {
			bd := newBed(b)
			call := callOf("SAMPLE", int64(1), int64(2))
			bd.force(call)
			u := bd.client(c.uid)
			for i := range c.flows {
				u.connected(fn("BPF_FILTER", fmt.Sprintf("udp dst portrange %d-%d", 600*i, 600*i+2000)), fn("STR_SEARCH", "abc", int64(0), int64(0)), fn("PKT_COUNTER"))
			}
			if c.flows == 0 {
				u.connected(fn(call.Name, call.Values()...), fn("PKT_COUNTER"))
			}
			bd.settle()
			pkts := traffic(rand.New(rand.NewPCG(1, 2)), drivers.MaxBatch)
			bd.source.Send(pkts...)
			loop := bd.engine.devices[0].cur.loop
			b.ReportAllocs()
			for b.Loop() {
				loop.Batch(pkts)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(pkts)), "ns/packet")
		})
	}
}
