package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"gomapi/internal/testnet"
	"gomapi/internal/tracegen"
	"gomapi/mapi"
)

// countPort is the calls of flow i that counts packets only.
func countPort(i int) []call { return []call{filter(udpPort(i)), {"PKT_COUNTER"}} }

// setup measures making flows.
func (b *bench) setup(ctx context.Context) *table {
	t := newTable("Setting up flows",
		"clients at once | flows of each | ms a flow | ms of mapid's CPU a flow | target")
	t.text = fmt.Sprintf("Create, BPF_FILTER with a port of its own, PKT_COUNTER, connect; in a fresh mapid. Time until "+
		"all flows of all clients are connected, by the number of flows: median (minimum) of %d rounds.", b.liveRounds)
	hundred, thousand := min(100, b.largest), min(1000, b.largest)
	for _, c := range []clients{{1, thousand}, {hundred, 10}, {hundred, hundred}} {
		var wall, cpu figures // ms a flow
		inTurn("setting up flows", b.liveRounds, func() sample {
			m := b.startFlows(ctx, c, 1, countPort)
			n := len(m.flows)
			wall = append(wall, m.setup.Seconds()*1e3/float64(n))
			cpu = append(cpu, m.setupCPU.Seconds()*1e3/float64(n))
			// Each flow gets a packet, which no other must count.
			s := b.session(m, toPorts(n, n))
			return s.runAll(ctx, []stream{{frames: datagrams(64), packets: n}})[0]
		})
		t.row(c.n, c.flows, wall.both(3), cpu.both(3), "0.2")
	}
	return t
}

const (
	standing     = 100  // flows that are there all the time while others come and go
	spareFilters = 4096 // of those that come and go
)

// comeAndGo measures flows that come and go: time, and memory of mapid meanwhile.
func (b *bench) comeAndGo(ctx context.Context) *table {
	t := newTable("Flows that come and go",
		"flows so far | ms a flow | mapid's memory, MiB | files it has open")
	t.text = fmt.Sprintf("Create, BPF_FILTER of a mixed kind, PKT_COUNTER, BYTE_COUNTER, connect, close: %d at a time, "+
		"beside %d flows that stay; one of them counts at the end what is sent. Memory is what the processes have, with "+
		"what the garbage collector has not returned.", concurrency, standing)
	filters := tracegen.Filters(standing+spareFilters, mixedSeed)
	filters[0] = "udp"
	calls := func(i int) []call { return counters(filter(filters[i])) }
	m := b.startFlows(ctx, clients{1, standing}, concurrency, calls).rest(ctx, testnet.B)
	client := m.newClient()
	const steps = 5
	n, took := b.churn/steps, time.Duration(0)
	for step := range steps + 1 {
		if step > 0 {
			took = makeAndClose(ctx, client, n, filters[standing:])
		}
		t.row(step*n, fixed(took.Seconds()*1e3/float64(max(1, n)), 3), mib(memoryOf(m.pid())), filesOf(m.pid()))
	}
	last := stream{frames: datagrams(frameSize), rate: 10_000, packets: 1000}
	b.session(m, oneIn(1, 1)).runAll(ctx, []stream{last})
	return t
}

// makeAndClose makes and closes n flows and returns how long that takes.
func makeAndClose(ctx context.Context, client *mapi.Client, n int, filters []string) time.Duration {
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
)

// changes measures closing and making flows while packets come: many mixed filters are
// connected, and one program closes and makes flows all the time.
func (b *bench) changes(ctx context.Context) *table {
	beside := min(10_000, b.largest)
	// A new pair: the old one has GRO on, which merges segments of TCP.
	b.link.ns.Delete(testnet.B)
	b.link.ns.AddPair()
	b.link.sender = b.link.ns.Sender(testnet.A)
	filters := tracegen.Filters(beside+spareFilters, mixedSeed)
	calls := func(i int) []call { return counters(filter(filters[i])) }
	m := b.startFlows(ctx, clients{1, beside}, concurrency, calls).rest(ctx, testnet.B)
	defer m.stop()
	loops := max(1, int(replayRate*b.stream.Seconds()*20/3)/replayed)
	s := b.session(m, traffic{want: b.replayCounts(ctx, filters[:beside], uint64(loops))})
	st := stream{rate: replayRate, packets: loops * replayed}
	for frame := range tracegen.Frames(replayed, 1) {
		st.frames = append(st.frames, bytes.Clone(frame))
	}
	changing, cancel := context.WithCancel(ctx)
	var made, closed figures
	client := m.newClient()
	done := make(chan error, 1)
	go func() { // ends with changing
		done <- catch(func() { made, closed = changeFlows(ctx, changing, client, filters[beside:]) })
	}()
	var sent sample
	err := catch(func() { sent = s.send(st) })
	cancel()
	check(errors.Join(err, <-done))
	return changesTable(beside, s.account(ctx, sent), made, closed)
}

// replayCounts returns what flows with these filters must count when the packets are sent so
// often: what libpcap counts.
func (b *bench) replayCounts(ctx context.Context, filters []string, loops uint64) func(uint64) []uint64 {
	_, once := b.readLibpcap(ctx, replayed, list(len(filters), func(i int) string { return filterTask(filters[i]) }))
	all := make([]uint64, len(once))
	for i, c := range once {
		all[i] = c.Packets * loops
	}
	return func(uint64) []uint64 { return all }
}

func changesTable(beside int, r sample, made, closed figures) *table {
	t := newTable("Changing flows under way", " | times | half within, ms | 99 % within | all within")
	t.text = fmt.Sprintf("Beside %d flows with mixed filters one program makes flows with others and closes some, one "+
		"call after the other, while %d packets of the file are sent again and again, %d in all, at %d a second. mapid "+
		"lost %.0f of them; %d did not reach the interface. The flows that stayed count what libpcap counts.",
		beside, replayed, r.sent, replayRate, r.lost, r.sent-r.arrived)
	for i, times := range []figures{made, closed} {
		t.row([]string{"make and connect", "close"}[i], len(times),
			fixed(times.at(0.5), 2), fixed(times.at(0.99), 2), fixed(times.at(1), 2))
	}
	return t
}

// changeFlows makes flows, and closes one when there are 100, until changing ends. It returns
// how long each took, in ms.
func changeFlows(ctx, changing context.Context, client *mapi.Client, filters []string) (made, closed figures) {
	timed := func(f func()) float64 {
		start := time.Now()
		f()
		return time.Since(start).Seconds() * 1e3
	}
	var flows []flow
	for random := rand.New(rand.NewPCG(11, 13)); changing.Err() == nil; {
		calls := counters(filter(filters[random.IntN(len(filters))]))
		made = append(made, timed(func() { flows = append(flows, newFlow(ctx, client, testnet.B, calls...)) }))
		if len(flows) == 100 {
			i := random.IntN(len(flows))
			closed = append(closed, timed(func() { check(flows[i].Close(ctx)) }))
			flows = slices.Delete(flows, i, i+1)
		}
	}
	return made, closed
}
