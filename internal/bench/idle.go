package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"gomapi/internal/testnet"
)

// idle measures what connected flows and waiting programs cost while no packet comes.
func (b *bench) idle(ctx context.Context) *table {
	const waiting = 100 // clients that wait for a packet
	connected, silence := clients{10, 100}, b.stream*50/3
	t := newTable("Silence", "process | % of a CPU | context switches a second | target")
	t.text = fmt.Sprintf("%d clients with %d counting flows each are connected, %d further clients wait in Next. "+
		"No packet comes for %v. All clients are in one process.", connected.n, connected.flows, waiting, silence)
	m := b.startFlows(ctx, connected, 1, countPort)
	defer m.stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, waiting)
	for range waiting {
		f := newFlow(ctx, m.newClient(), testnet.B, call{"TO_BUFFER"})
		go func() { // ends with ctx
			_, err := f.buffer.Next(ctx)
			ended <- err
		}()
	}
	m.rest(ctx, testnet.B)
	runtime.GC() // now, so that it is not the collector that is measured
	time.Sleep(time.Second / 2)
	pids := []int{m.pid(), os.Getpid()}
	cpu := []time.Duration{cpuOf(pids[0]), cpuOf(pids[1])}
	switches := []uint64{switchesOf(pids[0]), switchesOf(pids[1])}
	time.Sleep(silence)
	for i, name := range []string{"mapid", "the clients"} {
		used, switched := cpuOf(pids[i])-cpu[i], switchesOf(pids[i])-switches[i]
		t.row(name, fixed(100*used.Seconds()/silence.Seconds(), 4),
			fixed(float64(switched)/silence.Seconds(), 1), "0.1 %")
	}
	cancel()
	for range waiting {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			fail("a program that waited for a packet ends with %w", err)
		}
	}
	return t
}
