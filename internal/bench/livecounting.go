package main

import (
	"context"
	"fmt"

	"gomapi/internal/testnet"
)

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
