package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// taken is one round of taking all packets of the file.
type taken struct {
	rate   float64 // packets a second
	allocs float64 // for each packet
}

// packets measures how fast a program gets packets through TO_BUFFER.
func (b *bench) packets(ctx context.Context) (string, error) {
	d, err := b.startDaemon(ctx, "")
	if err != nil {
		return "", err
	}
	defer d.stop()
	var rates, allocs []float64
	for round := range b.rounds + 1 {
		progress("packets of a file to a program, round %d of %d", round, b.rounds)
		r, err := d.take(ctx, b.trace)
		if err != nil {
			return "", err
		}
		if round > 0 {
			rates, allocs = append(rates, r.rate/1e6), append(allocs, r.allocs)
		}
	}
	rate := summarize(rates)
	t := newTable("packets", "million packets a second", "most", "allocations a packet", "target")
	t.row(tracegen.BenchPackets, fmt.Sprintf("%.2f", rate.median), fmt.Sprintf("%.2f", rate.most),
		fmt.Sprintf("%.4f", summarize(allocs).median), "3, 0")
	return section("Packets to a program", t,
		"All packets of the file through TO_BUFFER to a loop over Next, from start to end of the file: median and maximum of %d rounds.",
		b.rounds), nil
}

// take takes all packets of the file.
func (d *daemon) take(ctx context.Context, path string) (taken, error) {
	dev, err := d.client.CreateOfflineDevice(ctx, path, mapi.FormatPCAP)
	if err != nil {
		return taken{}, err
	}
	defer dev.Delete(ctx)
	buffer, err := flow(ctx, d.client, dev.Name(), "", "TO_BUFFER")
	if err != nil {
		return taken{}, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	if err := dev.Start(ctx); err != nil {
		return taken{}, err
	}
	n := 0
	for ; err == nil; n++ {
		_, err = buffer.Next(ctx)
	}
	n-- // the last one was the end
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.EOF) {
		return taken{}, err
	}
	if n != tracegen.BenchPackets {
		return taken{}, fmt.Errorf("TO_BUFFER: %d packets of %d", n, tracegen.BenchPackets)
	}
	allocs := float64(after.Mallocs-before.Mallocs) / float64(n)
	return taken{rate: float64(n) / took.Seconds(), allocs: allocs}, nil
}
