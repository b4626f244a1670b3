package main

import (
	"context"
	"fmt"

	"gomapi/internal/testnet"
)

// audienceSide is a number of programs with the same flow.
type audienceSide struct {
	programs        int
	mapid           bool
	cpu, idle, lost []float64
	reached         []float64
	memory          uint64
	why             string
}

// sameFlows measures a thousand programs with the same filter and counters beside one.
func (b *bench) sameFlows(ctx context.Context, ns *testnet.NS) (string, error) {
	r := newRoad(ns)
	t := newTable("programs", "", "ns a packet", "idle %", "lost %", "Mbit/s reached", "memory, MiB")
	for _, s := range []*audienceSide{{programs: 1, mapid: true}, {programs: b.audience, mapid: true}, {programs: 1}, {programs: min(b.audience, b.mostPrograms)}} {
		progress("%d programs with the same flow", s.programs)
		if err := b.audienceOf(ctx, r, s); err != nil {
			return "", fmt.Errorf("%d programs with the same flow: %w", s.programs, err)
		}
		name, memory := "libpcap", ""
		if s.mapid {
			name, memory = "mapid", mib(s.memory)
		}
		if s.why != "" {
			t.row(s.programs, name, s.why, "", "", "", memory)
			continue
		}
		t.row(s.programs, name, summarize(s.cpu).String(), fmt.Sprintf("%.1f", summarize(s.idle).median), fmt.Sprintf("%.2f", summarize(s.lost).median),
			fmt.Sprintf("%.0f", summarize(s.reached).median), memory)
	}
	return section("Many programs with the same flow", t,
		"Each program has BPF_FILTER \"udp dst portrange 1-60000\", PKT_COUNTER, BYTE_COUNTER, which all packets match: frames of %d bytes at %.0f Mbit/s for %v, median (minimum) of %d rounds. "+
			"CPU time of mapid, or of all libpcap programs, which are processes and have their filter in the kernel.", frameSize, audienceRate, b.streamLength, b.longRounds), nil
}

const (
	audienceRate   = 500.0 // Mbit/s
	audienceFilter = "udp dst portrange 1-60000"
)

func (b *bench) audienceOf(ctx context.Context, r road, s *audienceSide) error {
	c, err := b.startAudience(ctx, s)
	if err != nil {
		return err
	}
	defer c.stop()
	sh := &shift{crew: c}
	want := make([]uint64, s.programs)
	st := stream{size: frameSize, mbit: audienceRate, frames: datagrams(frameSize), length: b.streamLength}
	for range b.longRounds {
		w, err := sh.carry(ctx, r, st, func(arrived uint64) []uint64 {
			for i := range want {
				want[i] = arrived
			}
			return want
		})
		if err != nil {
			s.why = err.Error()
			return ignoreSlow(err)
		}
		s.cpu, s.idle = append(s.cpu, float64(w.cpu)/float64(w.arrived)), append(s.idle, w.idle)
		s.lost, s.reached = append(s.lost, w.lost), append(s.reached, w.mbit)
	}
	return nil
}

func (b *bench) startAudience(ctx context.Context, s *audienceSide) (crew, error) {
	if s.mapid {
		c, err := b.startMembers(ctx, s.programs, []call{filterCall(audienceFilter)})
		if err == nil {
			s.memory = c.memory
		}
		return c, err
	}
	tasks := make([]string, s.programs)
	for i := range tasks {
		tasks[i] = "f " + audienceFilter
	}
	return b.startPcapCrew(tasks)
}
