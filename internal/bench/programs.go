package main

import (
	"context"
	"fmt"
	"slices"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
)

// measureCrowd measures programs at rates in Mbit/s: those of mapi beside as many of libpcap,
// one for each task.
func (b *bench) measureCrowd(ctx context.Context, rates []float64, tasks []string,
	mapid func() *mapid, traffic func(n int) traffic) []duel {
	var streams []stream
	for _, mbit := range rates {
		streams = append(streams, b.streamOf(mbit))
	}
	n := len(tasks)
	return b.measureLive(ctx, fmt.Sprintf("%d programs", n), streams,
		func() *session { return b.session(mapid().rest(ctx, testnet.B), traffic(n)) },
		func() *session { return b.session(b.startLibpcap(ctx, tasks), traffic(n)) })
}

// audience measures programs with the same flow.
func (b *bench) audience(ctx context.Context) (t rows) {
	for _, n := range b.upTo(1, 1000) {
		tasks := slices.Repeat([]string{"f udp dst portrange 1-60000"}, n) // all packets
		mapid := func() *mapid { return b.startFlows(ctx, n, 1, tasks, counters) }
		all := func(n int) traffic { return oneIn(1, n) }
		d := b.measureCrowd(ctx, []float64{500}, tasks, mapid, all)[0]
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
	rates := []float64{100, 500}
	var nobody []string
	for _, mbit := range rates {
		d := duel(inTurn("nobody", b.liveRounds, func() sample { return b.link.send(b.streamOf(mbit)) }))
		nobody = append(nobody, d.of(0, sample.idleShare).middle(1))
	}
	for _, n := range sizes {
		mapid := func() *mapid { return b.startReaders(ctx, tasks[:n]) }
		for i, d := range b.measureCrowd(ctx, rates, tasks[:n], mapid, traffic) {
			t.add(n, rates[i], nobody[i], d.middles(1, sample.idleShare), d.middles(2, missed(rates[i])),
				d.boths(2, sample.us), d.middles(0, sample.reached))
		}
	}
	return t
}
