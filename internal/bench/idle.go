package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// usage is what a process has used.
type usage struct {
	cpu      time.Duration
	switches uint64
}

// idle measures what connected flows and waiting programs cost while no packet
// comes.
func (b *bench) idle(ctx context.Context, _ *testnet.NS) (string, error) {
	progress("silence for %v", b.silence)
	d, err := b.startDaemon(ctx, "")
	if err != nil {
		return "", err
	}
	defer d.stop()
	people, err := d.gather(ctx, b.idleFlows)
	defer people.leave()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(ctx)
	waiting, err := d.wait(ctx, b.waiting)
	defer waiting.leave()
	defer cancel()
	if err != nil {
		return "", err
	}
	if err := settled(ctx, d.client, testnet.B); err != nil {
		return "", err
	}
	runtime.GC() // now, so that it is not the collector that is measured
	time.Sleep(time.Second / 2)
	used, err := during(b.silence, d.cmd.Process.Pid, os.Getpid())
	if err != nil {
		return "", err
	}
	cancel()
	if err := waiting.ended(); err != nil {
		return "", err
	}
	t := newTable("process", "% of a CPU", "context switches a second", "target")
	for i, name := range []string{"mapid", "the clients"} {
		t.row(name, fmt.Sprintf("%.4f", 100*used[i].cpu.Seconds()/b.silence.Seconds()),
			fmt.Sprintf("%.1f", float64(used[i].switches)/b.silence.Seconds()), "0.1 %")
	}
	return section("Silence", t, "%d clients with %d counting flows each are connected, %d further clients wait in Next. "+
		"No packet comes for %v. All clients are in one process.",
		b.idleFlows.clients, b.idleFlows.flows, b.waiting, b.silence), nil
}

// during waits and returns what processes have used meanwhile.
func during(t time.Duration, pids ...int) ([]usage, error) {
	before, err := usageOf(pids)
	if err != nil {
		return nil, err
	}
	time.Sleep(t)
	after, err := usageOf(pids)
	if err != nil {
		return nil, err
	}
	for i := range after {
		after[i].cpu -= before[i].cpu
		after[i].switches -= before[i].switches
	}
	return after, nil
}

func usageOf(pids []int) (all []usage, err error) {
	for _, pid := range pids {
		var u usage
		if u.cpu, err = cpuOf(pid); err != nil {
			return nil, err
		}
		if u.switches, err = switchesOf(pid); err != nil {
			return nil, err
		}
		all = append(all, u)
	}
	return all, nil
}

// waiters are clients with a goroutine each that waits for a packet.
type waiters struct {
	clients []*mapi.Client
	wg      sync.WaitGroup
	errs    chan error
}

// wait has clients wait for packets until ctx ends.
func (d *daemon) wait(ctx context.Context, clients int) (*waiters, error) {
	w := &waiters{errs: make(chan error, clients)}
	for range clients {
		c := d.newClient()
		w.clients = append(w.clients, c)
		buffer, err := flow(ctx, c, testnet.B, "", "TO_BUFFER")
		if err != nil {
			return w, err
		}
		w.wg.Go(func() {
			_, err := buffer.Next(ctx)
			w.errs <- err
		})
	}
	return w, nil
}

// ended returns when nobody waits any more, and how it was not as it should be.
func (w *waiters) ended() error {
	w.wg.Wait()
	for range w.clients {
		if err := <-w.errs; !errors.Is(err, context.Canceled) {
			return fmt.Errorf("a program that waited for a packet ends with %v", err)
		}
	}
	return nil
}

func (w *waiters) leave() {
	for _, c := range w.clients {
		c.Close()
	}
	w.wg.Wait()
}
