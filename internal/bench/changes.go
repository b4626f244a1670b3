package main

import (
	"bytes"
	"context"
	"errors"
	"log"
	"math/rand/v2"
	"slices"
	"time"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// setup measures making flows.
func (b *bench) setup(ctx context.Context, l link) string {
	wall, cpu := make([]samples, len(b.setups)), make([]samples, len(b.setups)) // ms a flow
	for round := range b.liveRounds {
		log.Printf("setting up flows, round %d of %d", round+1, b.liveRounds)
		for i, c := range b.setups {
			m := b.setupOnce(ctx, l, c)
			flows := float64(len(m.flows))
			wall[i] = append(wall[i], m.setup.Seconds()*1e3/flows)
			cpu[i] = append(cpu[i], m.setupCPU.Seconds()*1e3/flows)
		}
	}
	t := newTable("clients at once", "flows of each", "ms a flow", "ms of mapid's CPU a flow", "target")
	for i, c := range b.setups {
		t.row(c.n, c.flows, wall[i].both(3), cpu[i].both(3), "0.2")
	}
	return section("Setting up flows", t, "Create, BPF_FILTER with a port of its own, PKT_COUNTER, connect; in a fresh mapid. "+
		"Time until all flows of all clients are connected, by the number of flows: median (minimum) of %d rounds.", b.liveRounds)
}

// setupOnce sets flows up, sends each a packet, which no other must count, and ends mapid.
func (b *bench) setupOnce(ctx context.Context, l link, c clients) *mapid {
	m := b.startFlows(ctx, c, 1, countPort)
	defer m.stop()
	n := c.n * c.flows
	s := &session{link: l, subject: m, traffic: toPorts(n, n)}
	must(s.run(ctx, stream{frames: datagrams(64), packets: n}))
	return m
}

const (
	standing     = 100  // flows that are there all the time while others come and go
	spareFilters = 4096 // of those that come and go
)

// churnFlows measures flows that come and go: time, and memory of mapid meanwhile.
func (b *bench) churnFlows(ctx context.Context, l link) string {
	log.Printf("%d flows come and go", b.churn)
	filters := tracegen.Filters(standing+spareFilters, mixedSeed)
	filters[0] = "udp"
	m := b.startFlows(ctx, clients{1, standing}, concurrency, func(i int) []call { return counters(filter(filters[i])) }).rested(ctx)
	defer m.stop()
	t := newTable("flows so far", "ms a flow", "mapid's memory, MiB", "files it has open")
	const steps = 5
	n, took := b.churn/steps, time.Duration(0)
	for step := range steps + 1 {
		if step > 0 {
			took = m.makeAndClose(ctx, n, filters[standing:])
		}
		t.row(step*n, fixed(took.Seconds()*1e3/float64(max(1, n)), 3), mib(memoryOf(m.pid())), filesOf(m.pid()))
	}
	s := &session{link: l, subject: m, traffic: oneIn(1, 1)}
	must(s.run(ctx, stream{frames: datagrams(frameSize), rate: 10_000, packets: 1000}))
	return section("Flows that come and go", t,
		"Create, BPF_FILTER of a mixed kind, PKT_COUNTER, BYTE_COUNTER, connect, close: %d at a time, beside %d flows that stay; one of them counts at the end what is sent. "+
			"Memory is what the processes have, with what the garbage collector has not returned.", concurrency, standing)
}

// makeAndClose makes and closes n flows of a new client.
func (m *mapid) makeAndClose(ctx context.Context, n int, filters []string) time.Duration {
	client := m.newClient()
	defer client.Close()
	start := time.Now()
	parallel(n, concurrency, func(i int) {
		f := newFlow(ctx, client, testnet.B, counters(filter(filters[i%len(filters)]))...)
		check(f.Close(ctx))
	})
	return time.Since(start)
}

const (
	replayed   = 5000   // packets of the file, which are sent again and again
	replayRate = 30_000 // packets a second
	changeable = 100    // flows that are there to be closed
)

// changes measures closing and making flows while packets come: many mixed filters are
// connected, and one program closes and makes flows all the time.
func (b *bench) changes(ctx context.Context, l link) string {
	beside := b.sizes["changes"][0]
	log.Printf("changing flows under way, beside %d", beside)
	// A new pair: the old one has GRO on, which merges segments of TCP.
	l.ns.Delete(testnet.B)
	l.ns.AddPair()
	l.sender = l.ns.Sender(testnet.A)
	filters := tracegen.Filters(beside+spareFilters, mixedSeed)
	expression := func(i int) string { return filters[i] }
	m := b.startFlows(ctx, clients{1, beside}, concurrency, func(i int) []call { return counters(filter(expression(i))) }).rested(ctx)
	defer m.stop()
	_, once := b.readLibpcap(ctx, replayed, list(beside, filterTask(expression)))
	loops := max(1, int(replayRate*b.changing.Seconds())/replayed)
	s := &session{link: l, subject: m, traffic: traffic{want: func(uint64) (all []uint64) {
		for _, c := range once {
			all = append(all, c.Packets*uint64(loops))
		}
		return all
	}}}
	client := m.newClient()
	defer client.Close()
	st := stream{rate: replayRate, packets: loops * replayed}
	for frame := range tracegen.Frames(replayed, 1) {
		st.frames = append(st.frames, bytes.Clone(frame))
	}
	changing, cancel := context.WithCancel(ctx)
	var made, closed samples
	done := make(chan error, 1)
	go func() { // ends with changing
		done <- catch(func() { made, closed = changeFlows(ctx, changing, client, filters[beside:]) })
	}()
	var sent transfer
	err := catch(func() { sent = s.send(st) })
	cancel()
	check(errors.Join(err, <-done))
	r := must(s.account(ctx, sent))
	t := newTable("", "times", "half within, ms", "99 % within", "all within")
	for i, times := range []samples{made, closed} {
		t.row([]string{"make and connect", "close"}[i], len(times), fixed(times.at(0.5), 2), fixed(times.at(0.99), 2), fixed(times.at(1), 2))
	}
	return section("Changing flows under way", t,
		"Beside %d flows with mixed filters one program makes flows with others and closes some, one call after the other, while %d packets of the file are sent again and again, %d in all, at %d a second. "+
			"mapid lost %.0f of them; %d did not reach the interface. The flows that stayed count what libpcap counts.",
		beside, replayed, r.sent, replayRate, r.lost, r.sent-r.arrived)
}

// changeFlows makes flows, and closes one when there are enough, until changing ends. It
// returns how long each took, in ms.
func changeFlows(ctx, changing context.Context, client *mapi.Client, filters []string) (made, closed samples) {
	timed := func(f func()) float64 {
		start := time.Now()
		f()
		return time.Since(start).Seconds() * 1e3
	}
	var flows []flow
	for random := rand.New(rand.NewPCG(11, 13)); changing.Err() == nil; {
		calls := counters(filter(filters[random.IntN(len(filters))]))
		made = append(made, timed(func() { flows = append(flows, newFlow(ctx, client, testnet.B, calls...)) }))
		if len(flows) == changeable {
			i := random.IntN(len(flows))
			closed = append(closed, timed(func() { check(flows[i].Close(ctx)) }))
			flows = slices.Delete(flows, i, i+1)
		}
	}
	return made, closed
}
