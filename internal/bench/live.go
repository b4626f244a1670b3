package main

import (
	"context"
	"fmt"

	"gomapi/internal/testnet"
)

func (b *bench) session(s subject, t traffic) *session {
	return &session{link: b.link, subject: s, traffic: t}
}

// measureLive sends streams to subjects in turn.
func (b *bench) measureLive(ctx context.Context, what string, streams []stream,
	mapid, competitor func() *session) []duel {
	return inTurn(what, b.liveRounds,
		func() []sample { return mapid().runAll(ctx, streams) },
		func() []sample { return competitor().runAll(ctx, streams) })
}

// runAll sends streams to a subject, and ends it.
func (s *session) runAll(ctx context.Context, streams []stream) (all []sample) {
	defer s.stop()
	for _, st := range streams {
		all = append(all, s.run(ctx, st))
	}
	return all
}

// counting measures counting the packets of an interface at several rates.
func (b *bench) counting(ctx context.Context) (t rows) {
	mapid := func() *session {
		return b.session(b.startFlows(ctx, 1, 1, []string{""}, counter), oneIn(1, 1))
	}
	tcpdump := func() *session { return b.session(b.startTcpdump(ctx), oneIn(1, 1)) }
	for _, size := range []int{64, 1460} {
		streams := b.loads(ctx, mapid(), size)
		for i, d := range b.measureLive(ctx, fmt.Sprintf("frames of %d", size), streams, mapid, tcpdump) {
			t.add(size, streams[i].name, d.middles(0, sample.speed), d.worst(sample.losses),
				d.boths(1, sample.nsCaptured), d.ratio(2, sample.nsCaptured), d.cycles(sample.nsCaptured))
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
