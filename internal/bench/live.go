package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"gomapi/internal/testnet"
)

// A liveWorkload is streams for two subjects in turn, mapid and a competitor.
type liveWorkload struct {
	name     string
	sizes    []int                     // of what differs: programs, or frames
	streams  func(size int) []stream   // that each subject gets
	traffic  func(size int) traffic    // what is in them
	subjects [2]func(size int) subject // start one
}

// A liveRow is one stream of one size.
type liveRow struct {
	size    int
	stream  stream
	samples [2][]sample // of the subjects; none when one was too slow
	memory  uint64      // of mapid, in bytes
}

// measureLive makes the rounds of each size: subject after subject, stream after stream.
func (b *bench) measureLive(ctx context.Context, l link, w liveWorkload) (all []*liveRow) {
	for _, size := range w.sizes {
		var rows []*liveRow
		for _, st := range w.streams(size) {
			rows = append(rows, &liveRow{size: size, stream: st})
		}
		for round := range b.liveRounds {
			log.Printf("%s, %d: round %d of %d", w.name, size, round+1, b.liveRounds)
			for side, start := range w.subjects {
				b.measureSide(ctx, &session{link: l, subject: start(size), traffic: w.traffic(size)}, rows, side)
			}
		}
		all = append(all, rows...)
	}
	return all
}

// measureSide sends each row's stream to a subject, and ends it.
func (b *bench) measureSide(ctx context.Context, s *session, rows []*liveRow, side int) {
	defer s.stop()
	for _, row := range rows {
		if m, ok := s.subject.(*mapid); ok {
			row.memory = m.memory
		}
		r, err := s.run(ctx, row.stream)
		if errors.Is(err, errSlow) {
			return // what is left of this stream would disturb the next
		}
		check(err)
		row.samples[side] = append(row.samples[side], r)
	}
}

// of is what the rounds of a side have given.
func (r *liveRow) of(side int, figure func(sample) float64) samples {
	return samplesOf(r.samples[side], figure)
}

// median is that of what the rounds of a side have given.
func (r *liveRow) median(side, digits int, figure func(sample) float64) string {
	if len(r.samples[side]) == 0 {
		return errSlow.Error()
	}
	return fixed(r.of(side, figure).median(), digits)
}

// missed is in percent, see sample.missed.
func (r *liveRow) missed(s sample) float64 { return s.missed(r.stream.mbit) }
func (r *liveRow) idle(s sample) float64   { return s.idle }

// liveCounting measures counting the packets of an interface at several rates. Packets wait
// up to 10 ms in the ring of mapid, in that of tcpdump a second.
func (b *bench) liveCounting(ctx context.Context, l link) string {
	start := func(int) subject {
		return b.startFlows(ctx, clients{1, 1}, 1, func(int) []call { return []call{{"PKT_COUNTER"}} })
	}
	rows := b.measureLive(ctx, l, liveWorkload{
		name: "live counting, frames of", sizes: b.sizes["counting"], traffic: func(int) traffic { return oneIn(1, 1) },
		streams: func(size int) []stream {
			return b.loads(ctx, &session{link: l, subject: start(0), traffic: oneIn(1, 1)}, size)
		},
		subjects: [2]func(int) subject{start, func(int) subject { return b.startTcpdump(ctx) }},
	})
	t := newTable("bytes", "load", "packets/s: mapid", "tcpdump", "lost: mapid", "tcpdump",
		"ns a packet: mapid", "tcpdump", "mapid / tcpdump", "cycles: mapid", "tcpdump")
	for _, r := range rows {
		m, d := r.of(0, sample.cpuOfCaptured), r.of(1, sample.cpuOfCaptured)
		t.row(r.size, r.stream.name, r.rate(0), r.rate(1), r.losses(0), r.losses(1),
			m.both(1), d.both(1), fixed(m.median()/d.median(), 2), cycles(m.median()), cycles(d.median()))
	}
	return section("Live counting", t,
		"A flow with PKT_COUNTER, beside `tcpdump -Z root -w /dev/null -s 0 -B 65536`, in turn, each on an interface that nobody else captures from. "+
			"CPU time of the process, user and system, in nanoseconds per captured packet: median (minimum) of %d rounds. "+
			"Lost: packets of all rounds, as the programs say themselves. "+
			"Cycles at the clock rate that /proc/cpuinfo shows.", b.liveRounds)
}

// loads finds out what the sender reaches while a subject captures, and returns streams of
// parts of that.
func (b *bench) loads(ctx context.Context, s *session, size int) (all []stream) {
	defer s.stop()
	frames := make([][]byte, testnet.MaxBatch)
	for i := range frames {
		frames[i] = testnet.UDP(uint64(i), size)
	}
	burst := func(rate float64) int { return int(rate * b.burst.Seconds()) }
	most := must(s.run(ctx, stream{frames: frames, packets: burst(0.7e6)})).rate
	flood := must(s.run(ctx, stream{frames: frames, packets: burst(0.7e6), flood: true})).rate
	for _, share := range []float64{0.25, 0.5, 0.75} {
		all = append(all, stream{name: fixed(100*share, 0) + " %", frames: frames, rate: share * most, packets: burst(most)})
	}
	return append(all, stream{name: "100 %", frames: frames, packets: burst(most)}, stream{name: "flood", frames: frames, packets: burst(flood), flood: true})
}

// rate is in packets a second, rounded to thousands.
func (r *liveRow) rate(side int) string {
	return thousands(1000 * float64(int(r.of(side, func(s sample) float64 { return s.rate }).median()/1000+0.5)))
}

// losses adds up what was lost in all rounds.
func (r *liveRow) losses(side int) string {
	var lost, arrived float64
	for _, s := range r.samples[side] {
		lost, arrived = lost+s.lost, arrived+float64(s.arrived)
	}
	if lost == 0 {
		return "0"
	}
	return fmt.Sprintf("%.0f (%.2f %%)", lost, 100*lost/arrived)
}
