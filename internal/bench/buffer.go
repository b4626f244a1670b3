package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// packetsOfFile measures how fast a program gets packets through TO_BUFFER.
func (b *bench) packetsOfFile(ctx context.Context) *table {
	t := newTable("Packets to a program",
		"packets | million packets a second | most | allocations a packet | target")
	t.text = fmt.Sprintf("All packets of the file through TO_BUFFER to a loop over Next, "+
		"from start to end of the file: median and maximum of %d rounds.", b.rounds)
	d := b.startDaemon(ctx, "")
	defer d.stop()
	var rates, allocs figures // millions a second; for each packet
	for range b.rounds {
		took, mallocs := d.takeAll(ctx, b.capture(), b.packets)
		rates = append(rates, float64(b.packets)/1e6/took.Seconds())
		allocs = append(allocs, float64(mallocs)/float64(b.packets))
	}
	t.row(b.packets, rates.middle(2), fixed(rates.at(1), 2), allocs.middle(4), "3, 0")
	return t
}

// takeAll takes all packets of a file and returns how long that takes, and the allocations of
// this program meanwhile.
func (m *mapid) takeAll(ctx context.Context, path string, packets int) (took time.Duration, mallocs uint64) {
	dev := must(m.clients[0].CreateOfflineDevice(ctx, path, mapi.FormatPCAP))
	f := newFlow(ctx, m.clients[0], dev.Name(), call{"TO_BUFFER"})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	check(dev.Start(ctx))
	n := 0
	_, err := f.buffer.Next(ctx)
	for ; err == nil; n++ {
		_, err = f.buffer.Next(ctx)
	}
	took = time.Since(start)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.EOF) || n != packets {
		fail("TO_BUFFER: %d packets of %d, then %w", n, packets, err)
	}
	check(dev.Delete(ctx))
	return took, after.Mallocs - before.Mallocs
}

// delay measures how long packets take from being sent to the program, at a thousand a
// second.
func (b *bench) delay(ctx context.Context) *table {
	t := newTable("Delay", "latency | half within | 99 % within | all within | all within, worst round | target")
	packets := int(b.stream / (300 * time.Microsecond))
	t.text = fmt.Sprintf("From before the packet is sent to the program's loop over Next, in microseconds: medians of "+
		"%d rounds of %d packets, one every millisecond.", b.liveRounds, packets)
	side := func(latency string) func() figures {
		return func() figures { return b.delays(ctx, "latency="+latency, packets) }
	}
	for i, rounds := range inTurn("delay", b.liveRounds, side("low"), side("efficient")) {
		at := func(share float64) (all figures) {
			for _, delays := range rounds {
				all = append(all, delays.at(share))
			}
			return all
		}
		t.row([]string{"low", "efficient"}[i], at(0.5).middle(0), at(0.99).middle(0), at(1).middle(0),
			fixed(at(1).at(1), 0), []string{"99 % within 200", "all within 11,000"}[i])
	}
	return t
}

// delays sends packets with the time in them and returns how long each took, in microseconds.
func (b *bench) delays(ctx context.Context, latency string, packets int) (took figures) {
	m := b.startDaemon(ctx, latency)
	defer m.stop()
	f := newFlow(ctx, m.clients[0], testnet.B, call{"TO_BUFFER"})
	ctx, cancel := context.WithTimeout(ctx, time.Duration(packets)*time.Millisecond+patience)
	defer cancel()
	clock := time.Now()
	received := make(chan error, 1)
	go func() { // ends with the last packet, or ctx
		received <- catch(func() { took = receive(ctx, f.buffer, clock, packets) })
	}()
	frame := testnet.UDP(0, 100)
	err := catch(func() {
		for i := range packets {
			time.Sleep(time.Until(clock.Add(time.Duration(i) * time.Millisecond)))
			testnet.SetNumber(frame, uint64(time.Since(clock)))
			check(b.link.sender.Send(frame))
		}
	})
	if err != nil {
		cancel()
	}
	check(errors.Join(err, <-received))
	return took
}

// receive takes n packets and returns how long each was under way, in microseconds.
func receive(ctx context.Context, buffer *mapi.Function, clock time.Time, n int) (took figures) {
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
