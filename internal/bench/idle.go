package main

import (
	"context"
	"errors"
	"os"
	"runtime"
	"time"

	"gomapi/internal/testnet"
)

// silence is how long no packet comes.
func (b *bench) silence() time.Duration { return b.stream * 50 / 3 }

// idle measures what connected flows and waiting programs cost while no packet comes.
func (b *bench) idle(ctx context.Context) (t rows) {
	const waiting = 100 // clients that wait for a packet
	m := b.startFlows(ctx, 10, 1, portTasks(1000), counter)
	defer m.stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, waiting)
	for range waiting {
		buffer := newBuffer(ctx, m.newClient(), testnet.B, "")
		go func() { // ends with ctx
			_, err := buffer.Next(ctx)
			ended <- err
		}()
	}
	m.rest(ctx, testnet.B)
	runtime.GC() // now, so that it is not the collector that is measured
	time.Sleep(time.Second / 2)
	pids := []int{m.pid(), os.Getpid()}
	cpu := []time.Duration{cpuOf(pids[0]), cpuOf(pids[1])}
	switches := []uint64{switchesOf(pids[0]), switchesOf(pids[1])}
	time.Sleep(b.silence())
	seconds := b.silence().Seconds()
	for i, name := range []string{"mapid", "the clients"} {
		used, switched := cpuOf(pids[i])-cpu[i], switchesOf(pids[i])-switches[i]
		t.add(name, fixed(100*used.Seconds()/seconds, 4),
			fixed(float64(switched)/seconds, 1), "0.1 %")
	}
	cancel()
	for range waiting {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			fail("a program that waited for a packet ends with %w", err)
		}
	}
	return t
}
