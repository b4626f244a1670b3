package main

import (
	"context"
	"fmt"
	"time"

	"gomapi/internal/testnet"
)

// side is what the rounds of one program have given.
type side struct {
	start         func(context.Context) (capture, error)
	rate          []float64 // packets a second
	cpu           []float64 // ns for each packet captured
	arrived, lost uint64    // in all rounds
}

// countingRow is a load, for the programs in turn. Packets wait up to 10 ms in
// the ring of mapid, in that of tcpdump a second.
type countingRow struct {
	load
	mapid, tcpdump side
}

func (b *bench) newCountingRow(l load) *countingRow {
	return &countingRow{load: l, mapid: side{start: b.startCounting}, tcpdump: side{start: startDumping}}
}

// counting measures counting the packets of an interface at several rates.
func (b *bench) counting(ctx context.Context, ns *testnet.NS) (string, error) {
	r := newRoad(ns)
	rows, err := b.loads(ctx, r)
	if err != nil {
		return "", err
	}
	for round := range b.longRounds {
		progress("live counting, round %d of %d", round+1, b.longRounds)
		for _, row := range rows {
			for _, s := range []*side{&row.mapid, &row.tcpdump} {
				if err := s.once(ctx, r, row.load); err != nil {
					return "", fmt.Errorf("%s, %d bytes: %w", row.name, row.size, err)
				}
			}
		}
	}
	return countingSection(rows, b.longRounds), nil
}

// loads finds out what the sender reaches while mapid captures, and makes rows
// of parts of that.
func (b *bench) loads(ctx context.Context, r road) (rows []*countingRow, err error) {
	for _, size := range b.sizes {
		progress("live counting: what the sender reaches with %d bytes", size)
		most, err := b.reach(ctx, r, load{size: size})
		if err != nil {
			return nil, err
		}
		flood, err := b.reach(ctx, r, load{size: size, flood: true})
		if err != nil {
			return nil, err
		}
		for _, share := range b.shares {
			rate := share * most
			name := fmt.Sprintf("%.0f %%", 100*share)
			rows = append(rows, b.newCountingRow(load{name: name, size: size, rate: rate, packets: b.burstOf(most)}))
		}
		rows = append(rows, b.newCountingRow(load{name: "100 %", size: size, packets: b.burstOf(most)}),
			b.newCountingRow(load{name: "flood", size: size, packets: b.burstOf(flood), flood: true}))
	}
	return rows, nil
}

func (b *bench) burstOf(rate float64) int { return int(rate * b.burst.Seconds()) }

// reach sends as fast as it goes and returns the rate.
func (b *bench) reach(ctx context.Context, r road, l load) (float64, error) {
	l.packets = b.burstOf(0.7e6)
	s := b.newCountingRow(l).mapid
	if err := s.once(ctx, r, l); err != nil {
		return 0, err
	}
	return s.rate[0], nil
}

// once lets the program capture a load. Every packet must be captured or lost
// by what the program itself says.
func (s *side) once(ctx context.Context, r road, l load) error {
	c, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer c.stop()
	before, err := c.cpu()
	if err != nil {
		return err
	}
	arrived, rate, err := r.carry(l)
	if err != nil {
		return err
	}
	if err := settle(ctx, c, arrived); err != nil {
		return err
	}
	after, err := c.cpu()
	if err != nil {
		return err
	}
	captured, lost, err := c.counts(ctx)
	if err != nil {
		return err
	}
	if captured+lost != arrived || captured == 0 {
		return fmt.Errorf("%d packets arrived, %d were captured, %d lost: %v", arrived, captured, lost, c)
	}
	s.rate = append(s.rate, rate)
	s.cpu = append(s.cpu, float64(after-before)/float64(time.Nanosecond)/float64(captured))
	s.arrived, s.lost = s.arrived+arrived, s.lost+lost
	return nil
}

func countingSection(rows []*countingRow, rounds int) string {
	t := newTable("bytes", "load", "packets/s: mapid", "tcpdump", "lost: mapid", "tcpdump",
		"ns a packet: mapid", "tcpdump", "mapid / tcpdump", "cycles: mapid", "tcpdump")
	for _, r := range rows {
		m, d := summarize(r.mapid.cpu), summarize(r.tcpdump.cpu)
		t.row(r.size, r.name, thousands(r.mapid.rate), thousands(r.tcpdump.rate), r.mapid.losses(), r.tcpdump.losses(),
			m.String(), d.String(), fmt.Sprintf("%.2f", m.median/d.median), cycles(m.median), cycles(d.median))
	}
	return section("Live counting", t,
		"A flow with PKT_COUNTER, beside `tcpdump -Z root -w /dev/null -s 0 -B 65536`, in turn, each on an interface that nobody else captures from. "+
			"CPU time of the process, user and system, in nanoseconds per captured packet: median (minimum) of %d rounds. "+
			"Lost: packets of all rounds, as the programs say themselves. "+
			"Cycles at the clock rate that /proc/cpuinfo shows.", rounds)
}

func (s *side) losses() string {
	if s.lost == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%.2f %%)", s.lost, 100*float64(s.lost)/float64(s.arrived))
}

func thousands(rates []float64) string {
	return fmt.Sprintf("%.0f,000", summarize(rates).median/1000)
}
