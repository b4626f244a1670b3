package main

import (
	"context"
	"fmt"

	"gomapi/internal/testnet"
)

// A liveWorkload is streams for two subjects in turn, mapid and a competitor.
type liveWorkload struct {
	what    string
	size    int               // of what differs: programs, or frames
	streams []stream          // that each subject gets
	traffic func() traffic    // what is in them
	starts  [2]func() subject // of both sides
}

// A liveRow is one stream of one size.
type liveRow struct {
	size   int
	stream stream
	sides  [2]results
}

// measureLive makes the rounds: subject after subject, stream after stream.
func (b *bench) measureLive(ctx context.Context, w liveWorkload) []liveRow {
	side := func(start func() subject) func() results {
		return func() results { return b.session(start(), w.traffic()).runAll(ctx, w.streams) }
	}
	rounds := inTurn(fmt.Sprintf("%s, %d", w.what, w.size), b.liveRounds, side(w.starts[0]), side(w.starts[1]))
	rows := make([]liveRow, len(w.streams))
	for i, st := range w.streams {
		rows[i].size, rows[i].stream = w.size, st
		for side := range rounds {
			for _, samples := range rounds[side] {
				rows[i].sides[side] = append(rows[i].sides[side], samples[i])
			}
		}
	}
	return rows
}

func (b *bench) session(s subject, t traffic) *session {
	return &session{link: b.link, subject: s, traffic: t}
}

// runAll sends streams to a subject, and ends it. What one that is too slow has left over
// would disturb the next stream: from then on all are too slow.
func (s *session) runAll(ctx context.Context, streams []stream) (all results) {
	defer s.stop()
	slow := false
	for _, st := range streams {
		r := sample{slow: slow}
		if !slow {
			r = s.run(ctx, st)
			slow = r.slow
		}
		all = append(all, r)
	}
	return all
}

// middles are the medians of a figure of both sides.
func (r liveRow) middles(digits int, figure func(sample) float64) []string {
	return []string{r.sides[0].of(figure).middle(digits), r.sides[1].of(figure).middle(digits)}
}

// boths have the minimum too.
func (r liveRow) boths(digits int, figure func(sample) float64) []string {
	return []string{r.sides[0].of(figure).both(digits), r.sides[1].of(figure).both(digits)}
}

// counting measures counting the packets of an interface at several rates.
func (b *bench) counting(ctx context.Context) *table {
	t := newTable("Live counting", "bytes | load | packets/s: mapid | tcpdump | lost: mapid | tcpdump | "+
		"ns a packet: mapid | tcpdump | mapid / tcpdump | cycles: mapid | tcpdump")
	t.text = fmt.Sprintf("A flow with PKT_COUNTER, beside `tcpdump -Z root -w /dev/null -s 0 -B 65536`, in turn, "+
		"each on an interface that nobody else captures from. CPU time of the process, user and system, in nanoseconds "+
		"per captured packet: median (minimum) of %d rounds. Lost: packets of all rounds, as the programs say "+
		"themselves. Cycles at the clock rate that /proc/cpuinfo shows.", b.liveRounds)
	count := func(int) []call { return []call{{"PKT_COUNTER"}} }
	start := func() subject { return b.startFlows(ctx, clients{1, 1}, 1, count) }
	for _, size := range []int{64, 1460} {
		rows := b.measureLive(ctx, liveWorkload{
			what: "live counting, frames of", size: size, traffic: func() traffic { return oneIn(1, 1) },
			streams: b.loads(ctx, b.session(start(), oneIn(1, 1)), size),
			starts:  [2]func() subject{start, func() subject { return b.startTcpdump(ctx) }},
		})
		for _, r := range rows {
			m, d := r.sides[0].of(sample.nsCaptured), r.sides[1].of(sample.nsCaptured)
			t.row(size, r.stream.name, rate(r.sides[0]), rate(r.sides[1]), losses(r.sides[0]), losses(r.sides[1]),
				m.both(1), d.both(1), fixed(m.median()/d.median(), 2), m.cycles(), d.cycles())
		}
	}
	return t
}

// loads finds out what the sender reaches while a subject captures, and returns streams of
// parts of that.
func (b *bench) loads(ctx context.Context, s *session, size int) (all []stream) {
	defer s.stop()
	frames := make([][]byte, testnet.MaxBatch)
	for i := range frames {
		frames[i] = testnet.UDP(uint64(i), size)
	}
	burst := func(rate float64) int { return int(rate * b.stream.Seconds() * 2 / 3) }
	most := s.run(ctx, stream{frames: frames, packets: burst(0.7e6)}).rate
	flood := s.run(ctx, stream{frames: frames, packets: burst(0.7e6), flood: true}).rate
	for _, share := range []float64{0.25, 0.5, 0.75} {
		name := fixed(100*share, 0) + " %"
		all = append(all, stream{name: name, frames: frames, rate: share * most, packets: burst(most)})
	}
	return append(all, stream{name: "100 %", frames: frames, packets: burst(most)},
		stream{name: "flood", frames: frames, packets: burst(flood), flood: true})
}

// rate is in packets a second, rounded to thousands.
func rate(r results) string {
	return thousands(1000 * float64(int(r.of(func(s sample) float64 { return s.rate }).median()/1000+0.5)))
}

// losses adds up what was lost in all rounds.
func losses(r results) string {
	var lost, arrived float64
	for _, s := range r {
		lost, arrived = lost+s.lost, arrived+float64(s.arrived)
	}
	if lost == 0 {
		return "0"
	}
	return fmt.Sprintf("%.0f (%.2f %%)", lost, 100*lost/arrived)
}
