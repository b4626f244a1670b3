package main

import (
	"context"
	"fmt"
	"slices"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
)

// streamsOf are streams at rates in Mbit/s.
func (b *bench) streamsOf(rates ...float64) (all []stream) {
	for _, mbit := range rates {
		all = append(all, b.streamOf(mbit))
	}
	return all
}

// audience measures programs with the same flow.
func (b *bench) audience(ctx context.Context) (t rows) {
	for _, n := range b.upTo(1, 1000) {
		tasks := slices.Repeat([]string{"f udp dst portrange 1-60000"}, n) // all packets
		mapid := func() *session {
			return b.session(b.startFlows(ctx, n, 1, tasks, counters).rest(ctx, testnet.B), oneIn(1, n))
		}
		libpcap := func() *session { return b.session(b.startLibpcap(ctx, tasks), oneIn(1, n)) }
		d := b.measureLive(ctx, fmt.Sprintf("%d clients", n), b.streamsOf(500), mapid, libpcap)[0]
		memory := []string{d.of(0, sample.memoryMiB).middle(1), ""}
		for side, name := range sides {
			t.add(n, name, d.of(side, sample.ns).both(1), d.of(side, sample.idleShare).middle(1),
				d.of(side, sample.lostShare).middle(2), d.of(side, sample.reached).middle(0), memory[side])
		}
	}
	return t
}

// sampling measures programs that take one packet in so many.
func (b *bench) sampling(ctx context.Context) rows {
	const period = 20_000
	tasks := slices.Repeat([]string{fmt.Sprintf("p %d", period)}, 100)
	return b.measureReaders(ctx, b.upTo(1, 2, 5, 10, 20, 50, 100), tasks,
		func(n int) traffic { return oneIn(period, n) })
}

// searching measures programs that search each its own string.
func (b *bench) searching(ctx context.Context) rows {
	words := tracegen.Strings(1000, 1)
	return b.measureReaders(ctx, b.upTo(1, 5, 10, 50, 100, 1000), stringTasks(words),
		func(n int) traffic { return withWords(words[:n]) })
}

// measureReaders measures numbers of programs that are processes on both sides.
func (b *bench) measureReaders(ctx context.Context, sizes []int, tasks []string,
	traffic func(n int) traffic) (t rows) {
	rates := []float64{100, 500} // Mbit/s
	streams := b.streamsOf(rates...)
	nobody := inTurn("nobody", b.liveRounds, func() (all []sample) {
		for _, st := range streams {
			all = append(all, b.link.send(st))
		}
		return all
	})
	for _, n := range sizes {
		mapid := func() *session {
			return b.session(b.startReaders(ctx, tasks[:n]).rest(ctx, testnet.B), traffic(n))
		}
		libpcap := func() *session { return b.session(b.startLibpcap(ctx, tasks[:n]), traffic(n)) }
		for i, d := range b.measureLive(ctx, fmt.Sprintf("%d programs", n), streams, mapid, libpcap) {
			t.add(n, rates[i], nobody[i].of(0, sample.idleShare).middle(1),
				d.middles(1, sample.idleShare), d.middles(2, missed(rates[i])),
				d.boths(2, sample.us), d.middles(0, sample.reached))
		}
	}
	return t
}
