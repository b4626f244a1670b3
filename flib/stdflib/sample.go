package stdflib

import (
	"context"
	"math/rand/v2"
	"slices"

	"gomapi/flib"
)

// probabilistic is the only mode of SAMPLE that is checked for; all others are periodic.
// Programs know it as mapi.SampleProbabilistic.
const probabilistic = 3

var sample = flib.Def{
	Name: "SAMPLE",
	Description: "Passes a part of the packets that reach it: " +
		"every n-th packet, or each packet with a given probability.",
	Args: []flib.Arg{{
		Name: "value",
		Kind: flib.Int,
		Doc: "Periodic: every value-th packet passes; a value below 1 counts as 1. " +
			"Probabilistic: percentage of packets that pass; below 0 counts as 0 (none), above 100 as 100 (all).",
	}, {
		Name: "mode",
		Kind: flib.Int,
		Doc:  "mapi.SamplePeriodic (2) or mapi.SampleProbabilistic (3). Any other number counts as periodic.",
	}},
	Filters: true,
	Example: `flow.Apply(ctx, "SAMPLE", 20, mapi.SamplePeriodic)`,
	Call:    `SAMPLE(20, PERIODIC)`,
	New: func(_ context.Context, _ flib.Env, args flib.Args) (flib.Function, error) {
		value := int(args.Int(0))
		if args.Int(1) == probabilistic {
			return newRandomSample(value, rand.Uint64(), rand.Uint64()), nil
		}
		return newPeriodicSample(value), nil
	},
}

// periodicSample passes every period-th packet.
type periodicSample struct {
	period int
	next   int // packets before the next one that passes
	out    []*flib.Packet
}

func newPeriodicSample(period int) *periodicSample {
	period = max(period, 1)
	return &periodicSample{period: period, next: period - 1}
}

func (s *periodicSample) Process(in []*flib.Packet) []*flib.Packet {
	s.out = s.out[:0]
	i := s.next
	for ; i < len(in); i += s.period {
		s.out = append(s.out, in[i])
	}
	s.next = i - len(in)
	return s.out
}

// randomSample passes packets at random.
type randomSample struct {
	random rand.PCG
	limit  uint64 // how many of 2^32 numbers pass
	out    []*flib.Packet
}

// newRandomSample draws from a sequence that the seeds determine.
func newRandomSample(percent int, seed1, seed2 uint64) *randomSample {
	percent = min(max(percent, 0), 100)
	return &randomSample{random: *rand.NewPCG(seed1, seed2), limit: uint64(percent) << 32 / 100}
}

// Process stores each packet first and then keeps it or not. This avoids a branch that no
// processor can predict, and doubles the speed.
func (s *randomSample) Process(in []*flib.Packet) []*flib.Packet {
	s.out = slices.Grow(s.out[:0], len(in))[:len(in)]
	n := 0
	for _, p := range in {
		s.out[n] = p
		if s.random.Uint64()>>32 < s.limit {
			n++
		}
	}
	return s.out[:n]
}
