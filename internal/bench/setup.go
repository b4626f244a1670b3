package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// setupRow is the time that a crowd takes to set up its flows.
type setupRow struct {
	crowd
	wall, cpu []float64 // ms for each flow: on the clock, of mapid's CPUs
}

// setup measures making flows: create, BPF_FILTER with a port of its own,
// PKT_COUNTER, connect.
func (b *bench) setup(ctx context.Context, ns *testnet.NS) (string, error) {
	sender := ns.Sender(testnet.A)
	var rows []*setupRow
	for _, c := range b.crowds {
		rows = append(rows, &setupRow{crowd: c})
	}
	for round := range b.longRounds {
		progress("setting up flows, round %d of %d", round+1, b.longRounds)
		for _, r := range rows {
			if err := b.setupOnce(ctx, sender, r); err != nil {
				return "", fmt.Errorf("%d clients with %d flows: %w", r.clients, r.flows, err)
			}
		}
	}
	t := newTable("clients at once", "flows of each", "ms a flow", "ms of mapid's CPU a flow", "target")
	for _, r := range rows {
		ms := func(rounds []float64) string {
			f := summarize(rounds)
			return fmt.Sprintf("%.3f (%.3f)", f.median, f.least)
		}
		t.row(r.clients, r.flows, ms(r.wall), ms(r.cpu), "0.2")
	}
	return section("Setting up flows", t, "Create, BPF_FILTER with a port of its own, PKT_COUNTER, connect; in a fresh mapid. "+
		"Time until all flows of all clients are connected, by the number of flows: median (minimum) of %d rounds.", b.longRounds), nil
}

func (b *bench) setupOnce(ctx context.Context, sender *testnet.Sender, r *setupRow) error {
	d, err := b.startDaemon(ctx, "")
	if err != nil {
		return err
	}
	defer d.stop()
	before, err := d.cpu()
	if err != nil {
		return err
	}
	start := time.Now()
	people, err := d.gather(ctx, r.crowd)
	took := time.Since(start)
	defer people.leave()
	if err != nil {
		return err
	}
	after, err := d.cpu()
	if err != nil {
		return err
	}
	perFlow := func(t time.Duration) float64 { return t.Seconds() * 1e3 / float64(r.clients*r.flows) }
	r.wall, r.cpu = append(r.wall, perFlow(took)), append(r.cpu, perFlow(after-before))
	return people.check(ctx, sender)
}

// people are clients of a daemon with flows that count.
type people []person

type person struct {
	client   *mapi.Client
	ports    []uint16 // on which the flows count
	counters []*mapi.Function
}

// gather has the clients make their flows, all clients at once.
func (d *daemon) gather(ctx context.Context, c crowd) (people, error) {
	all := make(people, c.clients)
	errs := make([]error, c.clients)
	var wg sync.WaitGroup
	for i := range all {
		all[i].client = d.newClient()
		wg.Go(func() { errs[i] = all[i].make(ctx, c.flows, uint16(1+i*c.flows)) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// make makes flows with ports from the given one on.
func (p *person) make(ctx context.Context, flows int, port uint16) error {
	for range flows {
		counter, err := flow(ctx, p.client, testnet.B, fmt.Sprintf("udp dst port %d", port), "PKT_COUNTER")
		if err != nil {
			return err
		}
		p.ports, p.counters = append(p.ports, port), append(p.counters, counter)
		port++
	}
	return nil
}

func (all people) leave() {
	for _, p := range all {
		p.client.Close()
	}
}

// check sends a packet for the first flow of each client and looks whether that
// has it, and no other flow anything.
func (all people) check(ctx context.Context, sender *testnet.Sender) error {
	frame := testnet.UDP(0, 64)
	const dstPort = 14 + 20 + 2
	for _, p := range all {
		binary.BigEndian.PutUint16(frame[dstPort:], p.ports[0])
		if err := sender.Send(frame); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		wrong, err := all.wrong()
		if err != nil || wrong == 0 {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%d flows have not counted what was sent to them", wrong)
		}
		time.Sleep(time.Millisecond)
	}
}

// wrong returns how many flows have not counted what check has sent.
func (all people) wrong() (flows int, err error) {
	for _, p := range all {
		for i, c := range p.counters {
			n, err := c.Uint64()
			if err != nil {
				return 0, err
			}
			if want := i == 0; n > 1 || (n == 1) != want {
				flows++
			}
		}
	}
	return flows, nil
}
