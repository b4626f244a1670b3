package main

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"time"

	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// packetsOfFile measures how fast a program gets packets through TO_BUFFER.
func (b *bench) packetsOfFile(ctx context.Context) (t rows) {
	d := b.startDaemon(ctx, "")
	defer d.stop()
	var rates, allocs figures // millions a second; for each packet
	for range b.rounds {
		took, mallocs := d.takeAll(ctx, b.capture(b.packets), b.packets)
		rates = append(rates, float64(b.packets)/1e6/took.Seconds())
		allocs = append(allocs, float64(mallocs)/float64(b.packets))
	}
	t.add(b.packets, rates.middle(2), fixed(rates.at(1), 2), allocs.middle(4), "3, 0")
	return t
}

// takeAll takes all packets of a file and returns how long that takes, and the allocations of
// this program meanwhile.
func (m *mapid) takeAll(ctx context.Context, path string, packets int) (time.Duration, uint64) {
	dev := must(m.clients[0].CreateOfflineDevice(ctx, path, mapi.FormatPCAP))
	buffer := newBuffer(ctx, m.clients[0], dev.Name(), "")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	check(dev.Start(ctx))
	n := 0
	_, err := buffer.Next(ctx)
	for ; err == nil; n++ {
		_, err = buffer.Next(ctx)
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.EOF) || n != packets {
		fail("TO_BUFFER: %d packets of %d, then %w", n, packets, err)
	}
	check(dev.Delete(ctx))
	return took, after.Mallocs - before.Mallocs
}

// delay measures how long packets take from being sent to the program, at a thousand a
// second.
func (b *bench) delay(ctx context.Context) (t rows) {
	packets := int(b.stream / (300 * time.Microsecond))
	names := []string{"low", "efficient"}
	targets := []string{"99 % within 200", "all within 11,000"}
	all := make([][]figures, len(names))
	for range b.liveRounds {
		for i, name := range names {
			all[i] = append(all[i], b.delays(ctx, "latency="+name, packets))
		}
	}
	for i, rounds := range all {
		at := func(share float64) (all figures) {
			for _, delays := range rounds {
				all = append(all, delays.at(share))
			}
			return all
		}
		t.add(names[i], packets,
			at(0.5).middle(0), at(0.99).middle(0), at(1).middle(0),
			fixed(at(1).at(1), 0), targets[i])
	}
	return t
}

// delays sends packets with the time in them and returns how long each took, in microseconds.
func (b *bench) delays(ctx context.Context, latency string, packets int) (took figures) {
	m := b.startDaemon(ctx, latency)
	defer m.stop()
	buffer := newBuffer(ctx, m.clients[0], testnet.B, "")
	ctx, cancel := context.WithTimeout(ctx, time.Duration(packets)*time.Millisecond+patience)
	defer cancel()
	clock := time.Now()
	var sending sync.WaitGroup
	defer sending.Wait()
	var err error
	sending.Go(func() { err = catch(func() { b.link.sendStamped(clock, packets) }) })
	for len(took) < packets {
		p, err := buffer.Next(ctx)
		if err != nil {
			fail("%d of %d packets came: %w", len(took), packets, err)
		}
		now := time.Since(clock)
		stamp, ok := testnet.Number(p.Data)
		if !ok {
			fail("a packet that nobody sent: %x", p.Data)
		}
		took = append(took, float64(now-time.Duration(stamp))/1e3)
	}
	sending.Wait()
	check(err)
	return took
}

// sendStamped sends packets, one every millisecond, each with the time of a clock.
func (l link) sendStamped(clock time.Time, packets int) {
	frame := testnet.UDP(0, 100)
	for i := range packets {
		time.Sleep(time.Until(clock.Add(time.Duration(i) * time.Millisecond)))
		testnet.SetNumber(frame, uint64(time.Since(clock)))
		check(l.sender.Send(frame))
	}
}
