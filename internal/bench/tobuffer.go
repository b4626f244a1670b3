package main

import (
	"context"
	"errors"
	"io"
	"runtime"
	"time"

	"gomapi/mapi"
)

// toBuffer measures how fast a program gets packets through TO_BUFFER.
func (b *bench) toBuffer(ctx context.Context) string {
	d := b.startDaemon(ctx, "")
	defer d.stop()
	path := b.capture(b.packets)
	var rates, allocs samples // a second, in millions; for each packet
	for round := range b.rounds {
		progress("packets of a file to a program, round %d of %d", round+1, b.rounds)
		rate, mallocs := d.takeAll(ctx, path, b.packets)
		rates, allocs = append(rates, rate/1e6), append(allocs, mallocs)
	}
	t := newTable("packets", "million packets a second", "most", "allocations a packet", "target")
	t.row(b.packets, fixed(rates.median(), 2), fixed(rates.at(1), 2), fixed(allocs.median(), 4), "3, 0")
	return section("Packets to a program", t,
		"All packets of the file through TO_BUFFER to a loop over Next, from start to end of the file: median and maximum of %d rounds.", b.rounds)
}

// takeAll takes all packets of a file and returns how many a second, and the allocations of
// this program for each.
func (d *daemon) takeAll(ctx context.Context, path string, packets int) (rate, allocs float64) {
	dev := must(d.client.CreateOfflineDevice(ctx, path, mapi.FormatPCAP))
	f := newFlow(ctx, d.client, dev.Name(), call{"TO_BUFFER"})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	check(dev.Start(ctx))
	n := 0
	_, err := f.buffer.Next(ctx)
	for ; err == nil; n++ {
		_, err = f.buffer.Next(ctx)
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.EOF) || n != packets {
		fail("TO_BUFFER: %d packets of %d, then %w", n, packets, err)
	}
	check(dev.Delete(ctx))
	return float64(n) / took.Seconds(), float64(after.Mallocs-before.Mallocs) / float64(n)
}
