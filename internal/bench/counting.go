package main

import (
	"context"
	"fmt"
	"time"

	"gomapi/internal/testnet"
)

// sizes of the frames that are sent, in bytes without FCS.
var sizes = []int{64, 1460}

// side is what the rounds of one program have given.
type side struct {
	start         func(context.Context) (capture, error)
	rate          []float64 // packets a second
	cpu           []float64 // ns for each packet captured
	arrived, lost uint64    // in all rounds
}

// countingRow is a load, for both programs in turn.
type countingRow struct {
	load
	mapid, tcpdump side
}

// counting measures counting the packets of an interface at several rates.
func (b *bench) counting(ctx context.Context, ns *testnet.NS) (string, error) {
	r := newRoad(ns)
	rows, err := b.loads(ctx, r)
	if err != nil {
		return "", err
	}
	for round := range b.rounds2 {
		progress("live counting, round %d of %d", round+1, b.rounds2)
		for _, row := range rows {
			for _, s := range []*side{&row.mapid, &row.tcpdump} {
				if err := s.once(ctx, r, row.load); err != nil {
					return "", fmt.Errorf("%s, %d bytes: %w", row.name, row.size, err)
				}
			}
		}
	}
	return countingSection(rows, b.rounds2), nil
}

// loads finds out what the sender reaches while mapid captures, and makes rows
// of parts of that.
func (b *bench) loads(ctx context.Context, r road) (rows []*countingRow, err error) {
	for _, size := range sizes {
		progress("live counting: what the sender reaches with %d bytes", size)
		most, err := b.reach(ctx, r, load{size: size})
		if err != nil {
			return nil, err
		}
		flood, err := b.reach(ctx, r, load{size: size, flood: true})
		if err != nil {
			return nil, err
		}
		loads := []load{
			{name: "25 %", rate: 0.25 * most},
			{name: "50 %", rate: 0.5 * most},
			{name: "75 %", rate: 0.75 * most},
			{name: "100 %", rate: 0},
			{name: "flood", flood: true},
		}
		for _, l := range loads {
			l.size = size
			rate := l.rate
			switch {
			case l.flood:
				rate = flood
			case rate == 0:
				rate = most
			}
			l.packets = int(rate * b.burst.Seconds())
			rows = append(rows, &countingRow{load: l, mapid: side{start: b.startCounting}, tcpdump: side{start: startDumping}})
		}
	}
	return rows, nil
}

// reach sends as fast as it goes and returns the rate.
func (b *bench) reach(ctx context.Context, r road, l load) (float64, error) {
	l.packets = int(0.7e6 * b.burst.Seconds())
	s := side{start: b.startCounting}
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
	if err := c.settle(arrived); err != nil {
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
		return fmt.Errorf("%d packets arrived, %d were captured, %d lost", arrived, captured, lost)
	}
	s.rate = append(s.rate, rate)
	s.cpu = append(s.cpu, float64(after-before)/float64(time.Nanosecond)/float64(captured))
	s.arrived, s.lost = s.arrived+arrived, s.lost+lost
	return nil
}

func countingSection(rows []*countingRow, rounds int) string {
	t := newTable("bytes", "load", "packets a second: mapid", "tcpdump", "lost: mapid", "tcpdump",
		"ns a packet: mapid", "tcpdump", "mapid / tcpdump")
	for _, r := range rows {
		m, d := summarize(r.mapid.cpu), summarize(r.tcpdump.cpu)
		t.row(r.size, r.name, thousands(r.mapid.rate), thousands(r.tcpdump.rate), r.mapid.losses(), r.tcpdump.losses(),
			m.String(), d.String(), fmt.Sprintf("%.2f", m.median/d.median))
	}
	return section("Live counting", t,
		"A flow with PKT_COUNTER, beside `tcpdump -w /dev/null -s 0 -B 65536`, in turn, each on an interface that nobody else captures from. "+
			"CPU time of the process, user and system, in nanoseconds per captured packet: median (minimum) of %d rounds. "+
			"Lost: packets of all rounds, as the programs say themselves.", rounds)
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
