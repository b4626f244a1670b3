package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// clients are a number of programs with as many flows each.
type clients struct{ n, flows int }

// mapid is a daemon with members of one kind: flows of clients in this process, which only
// read counters, or readers, processes that take packets. The CPU time is that of the
// daemon and the readers.
type mapid struct {
	*daemon
	clients         []*mapi.Client
	flows           []flow
	setup, setupCPU time.Duration // until all flows are connected; that of the daemon itself
	memory          uint64        // when it is at rest then, in bytes
	readers         []*dialog
	pids            []int // theirs
	said            []result
}

// startFlows starts a mapid with clients that make their flows, 100 clients at once and
// each so many calls at a time.
func (b *bench) startFlows(ctx context.Context, c clients, concurrency int, calls func(i int) []call) *mapid {
	m := &mapid{daemon: b.startDaemon(ctx, ""), flows: make([]flow, c.n*c.flows)}
	for range c.n {
		m.clients = append(m.clients, m.newClient())
	}
	start, before := time.Now(), cpuOf(m.pid())
	parallel(c.n, min(c.n, 100), func(i int) {
		first := i * c.flows
		copy(m.flows[first:], newFlows(ctx, m.clients[i], testnet.B, c.flows, concurrency, func(j int) []call { return calls(first + j) }))
	})
	m.setup, m.setupCPU = time.Since(start), cpuOf(m.pid())-before
	return m
}

// rested is m when its flows are decided together and setting them up has left nothing behind.
func (m *mapid) rested(ctx context.Context) *mapid {
	m.awaitRest(ctx, testnet.B)
	m.memory = memoryOf(m.pid())
	return m
}

// startReaders starts a mapid and a process of internal/bench/reader for each task.
func (b *bench) startReaders(ctx context.Context, n int, task func(i int) string) *mapid {
	m := &mapid{daemon: b.startDaemon(ctx, "")}
	for i := range n {
		r := b.startDialog(ctx, nil, b.reader(), m.socket, testnet.B, task(i))
		m.readers, m.pids = append(m.readers, r), append(m.pids, r.cmd.Process.Pid)
	}
	for _, r := range m.readers {
		r.awaitReady()
	}
	return m.rested(ctx)
}

// stop ends the programs, then mapid.
func (m *mapid) stop() {
	var wg sync.WaitGroup
	for _, r := range m.readers {
		wg.Go(r.stop)
	}
	wg.Wait()
	for _, c := range m.clients {
		c.Close()
	}
	m.daemon.stop()
}

func (m *mapid) cpu() time.Duration { return m.daemon.cpu() + cpuOf(m.pids...) }

// settle waits until the books have all packets and the readers what they must, or a long
// time.
func (m *mapid) settle(ctx context.Context, all total) error {
	if m.countedAll(all) {
		return nil
	}
	lost, err := m.awaitPackets(ctx, all.arrived)
	if err != nil || len(m.readers) == 0 {
		return err
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		m.said = m.said[:0]
		for _, r := range m.readers {
			var got, full uint64 // lost because its buffer was full
			must(fmt.Sscan(r.ask(), &got, &full))
			m.said = append(m.said, result{lost: lost + full, got: got})
		}
		if compareResults(m.said, all) == nil {
			break
		}
	}
	return nil
}

// countedAll waits for the first flow, when that must get every packet: asking for the
// books wakes mapid. The last packets may wait in its ring for two seconds.
func (m *mapid) countedAll(all total) bool {
	const still = 2500 * time.Millisecond
	var last uint64
	for since := time.Now(); m.flows != nil && all.want[0] == all.arrived && time.Since(since) < still; time.Sleep(10 * time.Millisecond) {
		n := must(m.flows[0].packets.Uint64())
		if n >= all.arrived {
			return true
		}
		if n != last {
			last, since = n, time.Now()
		}
	}
	return false
}

// resultLag is by how much the results of very many flows may be behind the books.
const resultLag = 300 * time.Millisecond

func (m *mapid) results(ctx context.Context, all total) []result {
	if m.readers != nil {
		return m.said
	}
	lost := must(m.awaitPackets(ctx, all.arrived))
	if len(m.flows) > 1 {
		time.Sleep(resultLag)
	}
	m.said = m.said[:0]
	for _, c := range countsOf(m.flows) {
		m.said = append(m.said, result{lost: lost, got: c.Packets})
	}
	return m.said
}
