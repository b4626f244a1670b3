package main

import (
	"context"
	"errors"
	"io"
	"log"
	"runtime"
	"time"

	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// toBuffer measures how fast a program gets packets through TO_BUFFER.
func (b *bench) toBuffer(ctx context.Context, _ link) string {
	d := b.startDaemon(ctx, "")
	defer d.stop()
	path := b.capture(b.packets)
	var rates, allocs samples // a second, in millions; for each packet
	for round := range b.rounds {
		log.Printf("packets of a file to a program, round %d of %d", round+1, b.rounds)
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
func (d *mapid) takeAll(ctx context.Context, path string, packets int) (rate, allocs float64) {
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

// delay measures how long packets take from being sent to the program, at a thousand a
// second.
func (b *bench) delay(ctx context.Context, l link) string {
	t := newTable("latency", "half within", "99 % within", "all within", "all within, worst round", "target")
	names, targets := []string{"low", "efficient"}, []string{"99 % within 200", "all within 11,000"}
	rounds := make([][]samples, len(names)) // microseconds
	for round := range b.liveRounds {
		log.Printf("delay, round %d of %d", round+1, b.liveRounds)
		for i, name := range names {
			rounds[i] = append(rounds[i], b.delays(ctx, l, "latency="+name))
		}
	}
	for i, name := range names {
		at := func(share float64) samples {
			return samplesOf(rounds[i], func(s samples) float64 { return s.at(share) })
		}
		t.row(name, fixed(at(0.5).median(), 0), fixed(at(0.99).median(), 0), fixed(at(1).median(), 0), fixed(at(1).at(1), 0), targets[i])
	}
	return section("Delay", t, "From before the packet is sent to the program's loop over Next, in microseconds: medians of %d rounds of %d packets, "+
		"one every millisecond.", b.liveRounds, b.stamped)
}

// delays sends packets with the time in them and returns how long each took, in
// microseconds.
func (b *bench) delays(ctx context.Context, l link, latency string) (took samples) {
	d := b.startDaemon(ctx, latency)
	defer d.stop()
	f := newFlow(ctx, d.client, testnet.B, call{"TO_BUFFER"})
	ctx, cancel := context.WithTimeout(ctx, time.Duration(b.stamped)*time.Millisecond+patience)
	defer cancel()
	clock := time.Now()
	received := make(chan error, 1)
	go func() { // ends with the last packet, or ctx
		received <- catch(func() { took = receive(ctx, f.buffer, clock, b.stamped) })
	}()
	frame := testnet.UDP(0, 100)
	err := catch(func() {
		for i := range b.stamped {
			time.Sleep(time.Until(clock.Add(time.Duration(i) * time.Millisecond)))
			testnet.SetNumber(frame, uint64(time.Since(clock)))
			check(l.sender.Send(frame))
		}
	})
	if err != nil {
		cancel()
	}
	check(errors.Join(err, <-received))
	return took
}

// receive takes n packets and returns how long each was under way, in microseconds.
func receive(ctx context.Context, buffer *mapi.Function, clock time.Time, n int) (took samples) {
	for len(took) < n {
		p, err := buffer.Next(ctx)
		if err != nil {
			fail("%d of %d packets came: %w", len(took), n, err)
		}
		now := time.Since(clock)
		sent, ok := testnet.Number(p.Data)
		if !ok {
			fail("a packet that nobody sent: %x", p.Data)
		}
		took = append(took, float64(now-time.Duration(sent))/1e3)
	}
	return took
}
