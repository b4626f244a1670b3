package main

import (
	"context"
	"fmt"

	"gomapi/internal/testnet"
)

// A load is a stream of frames of a size, for mapid and tcpdump in turn. Packets wait up to
// 10 ms in the ring of mapid, in that of tcpdump a second.
type load struct {
	name           string
	size           int
	stream         stream
	mapid, tcpdump []sample
}

// liveCounting measures counting the packets of an interface at several rates.
func (b *bench) liveCounting(ctx context.Context, l link) string {
	var loads []*load
	for _, size := range b.frameSizes {
		loads = append(loads, b.loads(ctx, l, size)...)
	}
	for round := range b.liveRounds {
		progress("live counting, round %d of %d", round+1, b.liveRounds)
		for _, w := range loads {
			w.mapid = append(w.mapid, b.countOnce(ctx, l, w.stream, b.startCounting(ctx)))
			w.tcpdump = append(w.tcpdump, b.countOnce(ctx, l, w.stream, b.startTcpdump()))
		}
	}
	t := newTable("bytes", "load", "packets/s: mapid", "tcpdump", "lost: mapid", "tcpdump",
		"ns a packet: mapid", "tcpdump", "mapid / tcpdump", "cycles: mapid", "tcpdump")
	for _, w := range loads {
		m, d := samplesOf(w.mapid, sample.cpuOfCaptured), samplesOf(w.tcpdump, sample.cpuOfCaptured)
		t.row(w.size, w.name, rateOf(w.mapid), rateOf(w.tcpdump), losses(w.mapid), losses(w.tcpdump),
			m.both(1), d.both(1), fixed(m.median()/d.median(), 2), cycles(m.median()), cycles(d.median()))
	}
	return section("Live counting", t,
		"A flow with PKT_COUNTER, beside `tcpdump -Z root -w /dev/null -s 0 -B 65536`, in turn, each on an interface that nobody else captures from. "+
			"CPU time of the process, user and system, in nanoseconds per captured packet: median (minimum) of %d rounds. "+
			"Lost: packets of all rounds, as the programs say themselves. "+
			"Cycles at the clock rate that /proc/cpuinfo shows.", b.liveRounds)
}

// startCounting starts a mapid with one flow that counts all packets.
func (b *bench) startCounting(ctx context.Context) subject {
	return b.startFlows(ctx, clients{1, 1}, 1, func(int) []call { return []call{{"PKT_COUNTER"}} })
}

// loads finds out what the sender reaches while mapid captures, and makes loads of parts
// of that.
func (b *bench) loads(ctx context.Context, l link, size int) (all []*load) {
	progress("live counting: what the sender reaches with %d bytes", size)
	frames := make([][]byte, testnet.MaxBatch)
	for i := range frames {
		frames[i] = testnet.UDP(uint64(i), size)
	}
	burst := func(rate float64) int { return int(rate * b.burst.Seconds()) }
	reached := func(flood bool) float64 {
		return b.countOnce(ctx, l, stream{frames: frames, packets: burst(0.7e6), flood: flood}, b.startCounting(ctx)).rate
	}
	most := reached(false)
	for _, share := range b.shares {
		all = append(all, &load{name: fixed(100*share, 0) + " %", size: size, stream: stream{frames: frames, rate: share * most, packets: burst(most)}})
	}
	return append(all,
		&load{name: "100 %", size: size, stream: stream{frames: frames, packets: burst(most)}},
		&load{name: "flood", size: size, stream: stream{frames: frames, packets: burst(reached(true)), flood: true}})
}

// countOnce has a subject count a stream, and ends it.
func (b *bench) countOnce(ctx context.Context, l link, st stream, sub subject) sample {
	defer sub.stop()
	s := &session{link: l, subject: sub, traffic: oneIn(1, 1)}
	r := must(s.run(ctx, st))
	if r.lost >= float64(r.arrived) {
		fail("%d packets arrived, none was counted", r.arrived)
	}
	return r
}

func rateOf(all []sample) string {
	rates := samplesOf(all, func(r sample) float64 { return r.rate })
	return thousands(float64(int(rates.median()/1000+0.5) * 1000))
}

// losses adds up what was lost in all rounds.
func losses(all []sample) string {
	var lost, arrived float64
	for _, r := range all {
		lost, arrived = lost+r.lost, arrived+float64(r.arrived)
	}
	if lost == 0 {
		return "0"
	}
	return fmt.Sprintf("%.0f (%.2f %%)", lost, 100*lost/arrived)
}
