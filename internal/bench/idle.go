package main

import (
	"context"
	"errors"
	"log"
	"os"
	"runtime"
	"sync"
	"time"

	"gomapi/internal/testnet"
)

const waiting = 100 // clients that wait for a packet

// idleCost measures what connected flows and waiting programs cost while no packet comes.
func (b *bench) idleCost(ctx context.Context, _ link) string {
	log.Printf("silence for %v", b.silence)
	m := b.startFlows(ctx, b.idle, 1, countPort)
	defer m.stop()
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, waiting)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for range waiting {
		c := m.newClient()
		defer c.Close()
		f := newFlow(ctx, c, testnet.B, call{"TO_BUFFER"})
		wg.Go(func() {
			_, err := f.buffer.Next(ctx)
			ended <- err
		})
	}
	m.awaitRest(ctx, testnet.B)
	runtime.GC() // now, so that it is not the collector that is measured
	time.Sleep(time.Second / 2)
	pids := []int{m.pid(), os.Getpid()}
	var cpu [2]time.Duration
	var switches [2]uint64
	for i, pid := range pids {
		cpu[i], switches[i] = cpuOf(pid), switchesOf(pid)
	}
	time.Sleep(b.silence)
	t := newTable("process", "% of a CPU", "context switches a second", "target")
	for i, name := range []string{"mapid", "the clients"} {
		used, switched := cpuOf(pids[i])-cpu[i], switchesOf(pids[i])-switches[i]
		t.row(name, fixed(100*used.Seconds()/b.silence.Seconds(), 4), fixed(float64(switched)/b.silence.Seconds(), 1), "0.1 %")
	}
	cancel()
	for range waiting {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			fail("a program that waited for a packet ends with %w", err)
		}
	}
	return section("Silence", t, "%d clients with %d counting flows each are connected, %d further clients wait in Next. "+
		"No packet comes for %v. All clients are in one process.", b.idle.n, b.idle.flows, waiting, b.silence)
}
