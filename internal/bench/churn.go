package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// standing is how many flows are there all the time while others come and go.
const standing = 100

// comeAndGo measures flows that come and go: time, and memory of mapid before and
// after.
func (b *bench) comeAndGo(ctx context.Context, ns *testnet.NS) (string, error) {
	progress("%d flows come and go", b.churn)
	filters := tracegen.Filters(standing+4096, mixedSeed)
	filters[0] = "udp"
	c, err := b.startMembers(ctx, 1, filterCalls(filters[:standing]))
	if err != nil {
		return "", err
	}
	defer c.stop()
	t := newTable("flows so far", "ms a flow", "mapid's memory, MiB", "files it has open")
	const steps = 5
	for step := range steps + 1 {
		var took time.Duration
		if step > 0 {
			if took, err = c.replace(ctx, b.churn/steps, filters[standing:]); err != nil {
				return "", err
			}
		}
		memory, err := memoryOf(c.daemon.pid())
		if err != nil {
			return "", err
		}
		files, err := filesOf(c.daemon.pid())
		if err != nil {
			return "", err
		}
		t.row(step*(b.churn/steps), fmt.Sprintf("%.3f", took.Seconds()*1e3/float64(max(1, b.churn/steps))), mib(memory), files)
	}
	if err := c.stillCount(ctx, ns); err != nil {
		return "", err
	}
	return section("Flows that come and go", t,
		"Create, BPF_FILTER of a mixed kind, PKT_COUNTER, BYTE_COUNTER, connect, close: %d at a time, beside %d flows that stay; one of them counts at the end what is sent. "+
			"Memory is what the processes have, with what the garbage collector has not returned.", hands, standing), nil
}

// replace makes and closes n flows of a new client.
func (c *memberCrew) replace(ctx context.Context, n int, filters []string) (time.Duration, error) {
	client := c.daemon.newClient()
	defer client.Close()
	start := time.Now()
	var next atomic.Int64
	errs := make(chan error, hands)
	var wg sync.WaitGroup
	for range hands {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if err := comeGo(ctx, client, filters[i%int64(len(filters))]); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return time.Since(start), <-errs
}

func comeGo(ctx context.Context, c *mapi.Client, filter string) error {
	m, err := join(ctx, c, testnet.B, filterCall(filter))
	if err != nil {
		return err
	}
	return m.flow.Close(ctx)
}

// stillCount sends packets, which the first of the flows that have stayed must count.
func (c *memberCrew) stillCount(ctx context.Context, ns *testnet.NS) error {
	const packets = 1000
	r := newRoad(ns)
	s, err := r.stream(stream{size: frameSize, mbit: 100, frames: datagrams(frameSize), length: time.Minute, most: packets})
	if err != nil {
		return err
	}
	if _, err := c.daemon.dealtWith(ctx, s.arrived, time.Now().Add(patience)); err != nil {
		return err
	}
	n, err := c.members[0].packets.Uint64()
	if err == nil && n != s.arrived {
		err = fmt.Errorf("a flow counts %d packets of %d", n, s.arrived)
	}
	return err
}
