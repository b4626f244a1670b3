package main

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// setup measures making flows.
func (b *bench) setup(ctx context.Context) (t rows) {
	hundred, thousand := min(100, b.largest), min(1000, b.largest)
	for _, c := range []struct{ clients, flows int }{{1, thousand}, {hundred, 10}, {hundred, hundred}} {
		var wall, cpu figures // ms a flow
		n := c.clients * c.flows
		inTurn("setting up flows", b.liveRounds, func() []sample {
			m := b.startFlows(ctx, c.clients, 1, portTasks(n), counter)
			wall = append(wall, m.setup.Seconds()*1e3/float64(n))
			cpu = append(cpu, m.setupCPU.Seconds()*1e3/float64(n))
			// Each flow gets a packet, which no other must count.
			s := b.session(m, toPorts(n, n))
			return s.runAll(ctx, []stream{{frames: datagrams(64), packets: n}})
		})
		t.add(c.clients, c.flows, wall.both(3), cpu.both(3), "0.2")
	}
	return t
}

const (
	standing     = 100  // flows that are there all the time while others come and go
	spareFilters = 4096 // of those that come and go
)

// comeAndGo measures flows that come and go: time, and memory of mapid meanwhile.
func (b *bench) comeAndGo(ctx context.Context) (t rows) {
	tasks := filterTasks(tracegen.Filters(standing+spareFilters, mixedSeed))
	tasks[0] = "f udp"
	m := b.startFlows(ctx, 1, calls, tasks[:standing], counters).rest(ctx, testnet.B)
	defer m.stop()
	client := m.newClient()
	const steps = 5
	n, ms := b.churn/steps, 0.0
	for step := range steps + 1 {
		if step > 0 {
			ms = timed(func() {
				parallel(n, calls, func(i int) {
					task := tasks[standing+i%spareFilters]
					check(newFlow(ctx, client, testnet.B, task, counters...).Close(ctx))
				})
			})
		}
		t.add(step*n, fixed(ms/float64(max(1, n)), 3), mib(memoryOf(m.pid())), filesOf(m.pid()))
	}
	b.session(m, oneIn(1, 1)).run(ctx, stream{frames: datagrams(frameSize), rate: 10_000, packets: 1000})
	return t
}

// timed returns how long f takes, in ms.
func timed(f func()) float64 {
	start := time.Now()
	f()
	return time.Since(start).Seconds() * 1e3
}

const (
	replayed   = 5000   // packets of the file, which are sent again and again
	replayRate = 30_000 // packets a second
)

// changes measures closing and making flows while packets come: many mixed filters are
// connected, and one program closes and makes flows all the time.
func (b *bench) changes(ctx context.Context) (t rows) {
	beside := min(10_000, b.largest)
	// A new pair: the old one has GRO on, which merges segments of TCP.
	b.link.ns.Delete(testnet.B)
	b.link.ns.AddPair()
	b.link.sender = b.link.ns.Sender(testnet.A)
	tasks := filterTasks(tracegen.Filters(beside+spareFilters, mixedSeed))
	m := b.startFlows(ctx, 1, calls, tasks[:beside], counters).rest(ctx, testnet.B)
	defer m.stop()
	loops := max(1, int(replayRate*b.stream.Seconds()*20/3)/replayed)
	s := b.session(m, traffic{want: b.replayCounts(ctx, tasks[:beside], uint64(loops))})
	st := stream{rate: replayRate, packets: loops * replayed}
	for frame := range tracegen.Frames(replayed, 1) {
		st.frames = append(st.frames, bytes.Clone(frame))
	}
	changing, cancel := context.WithCancel(ctx)
	var made, closed figures
	client := m.newClient()
	done := make(chan error, 1)
	go func() { // ends with changing
		done <- catch(func() { made, closed = changeFlows(ctx, changing, client, tasks[beside:]) })
	}()
	var sent sample
	err := catch(func() { sent = s.send(st) })
	cancel()
	check(errors.Join(err, <-done))
	r := s.account(ctx, sent)
	for i, times := range []figures{made, closed} {
		t.add([]string{"make and connect", "close"}[i], len(times), times.middle(2), fixed(times.at(0.99), 2),
			fixed(times.at(1), 2), beside, r.sent, r.lost, r.sent-r.arrived)
	}
	return t
}

// replayCounts returns what flows with these tasks must count when the packets are sent so
// often: what libpcap counts.
func (b *bench) replayCounts(ctx context.Context, tasks []string, loops uint64) func(uint64) []uint64 {
	_, once := b.readLibpcap(ctx, replayed, tasks)
	all := make([]uint64, len(once))
	for i, c := range once {
		all[i] = c.Packets * loops
	}
	return func(uint64) []uint64 { return all }
}

// changeFlows makes flows, and closes one when there are 100, until changing ends. It returns
// how long each took, in ms.
func changeFlows(ctx, changing context.Context, c *mapi.Client, tasks []string) (made, closed figures) {
	var flows []flow
	for random := rand.New(rand.NewPCG(11, 13)); changing.Err() == nil; {
		task := tasks[random.IntN(len(tasks))]
		made = append(made, timed(func() {
			flows = append(flows, newFlow(ctx, c, testnet.B, task, counters...))
		}))
		if len(flows) == 100 {
			i := random.IntN(len(flows))
			closed = append(closed, timed(func() { check(flows[i].Close(ctx)) }))
			flows = slices.Delete(flows, i, i+1)
		}
	}
	return made, closed
}
