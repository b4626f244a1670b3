package main

import (
	"context"
	"encoding/binary"

	"gomapi/internal/testnet"
)

// portCounter counts the packets to a port of its own.
func portCounter(i int) []call { return []call{filter(udpPort(i)), {"PKT_COUNTER"}} }

// setup measures making flows.
func (b *bench) setup(ctx context.Context, l link) string {
	wall, cpu := make([]samples, len(b.setups)), make([]samples, len(b.setups)) // ms a flow
	for round := range b.liveRounds {
		progress("setting up flows, round %d of %d", round+1, b.liveRounds)
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

// setupOnce sets flows up, sends a packet to the first flow of each client, and ends mapid.
// No other flow must have any.
func (b *bench) setupOnce(ctx context.Context, l link, c clients) *mapid {
	m := b.startFlows(ctx, c, 1, portCounter)
	defer m.stop()
	want, next := make([]uint64, len(m.flows)), 0
	s := &session{link: l, subject: m, traffic: traffic{
		mark: func(frame []byte) {
			binary.BigEndian.PutUint16(frame[udpDstPort:], uint16(1+next))
			want[next]++
			next += c.flows
		},
		want: func(uint64) []uint64 { return want },
	}}
	var frames [][]byte
	for range testnet.MaxBatch {
		frames = append(frames, testnet.UDP(0, 64))
	}
	must(s.run(ctx, stream{frames: frames, packets: c.n}))
	return m
}
