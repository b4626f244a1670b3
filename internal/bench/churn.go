package main

import (
	"context"
	"time"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
)

const (
	standing     = 100  // flows that are there all the time while others come and go
	spareFilters = 4096 // of those that come and go
)

// comeAndGo measures flows that come and go: time, and memory of mapid meanwhile.
func (b *bench) comeAndGo(ctx context.Context, l link) string {
	progress("%d flows come and go", b.churn)
	filters := tracegen.Filters(standing+spareFilters, mixedSeed)
	filters[0] = "udp"
	m := b.startFlows(ctx, clients{1, standing}, hands, func(i int) []call { return counters(filter(filters[i])) }).rested(ctx)
	defer m.stop()
	t := newTable("flows so far", "ms a flow", "mapid's memory, MiB", "files it has open")
	const steps = 5
	n, took := b.churn/steps, time.Duration(0)
	for step := range steps + 1 {
		if step > 0 {
			took = m.makeAndClose(ctx, n, filters[standing:])
		}
		t.row(step*n, fixed(took.Seconds()*1e3/float64(max(1, n)), 3), mib(memoryOf(m.pid())), filesOf(m.pid()))
	}
	s := &session{link: l, subject: m, traffic: oneIn(1, 1)}
	must(s.run(ctx, stream{frames: datagrams(frameSize), rate: 10_000, packets: 1000}))
	return section("Flows that come and go", t,
		"Create, BPF_FILTER of a mixed kind, PKT_COUNTER, BYTE_COUNTER, connect, close: %d at a time, beside %d flows that stay; one of them counts at the end what is sent. "+
			"Memory is what the processes have, with what the garbage collector has not returned.", hands, standing)
}

// makeAndClose makes and closes n flows of a new client.
func (m *mapid) makeAndClose(ctx context.Context, n int, filters []string) time.Duration {
	client := m.newClient()
	defer client.Close()
	start := time.Now()
	parallel(n, hands, func(i int) {
		f := newFlow(ctx, client, testnet.B, counters(filter(filters[i%len(filters)]))...)
		check(f.Close(ctx))
	})
	return time.Since(start)
}
