package stdflib

import (
	"context"

	"gomapi/flib"
	"gomapi/internal/mapierr"
	"gomapi/mapi/result"
)

var stats = flib.Def{
	Name: "STATS",
	Description: "Computes statistics of a function's result over packets or periods: count, sum, sum of squares, largest and smallest value. " +
		"A function that it reads in its own flow should come before it. " +
		"A wrong time stamp in the future ends a period early.",
	Args: []flib.Arg{
		{Name: "flow", Kind: flib.Flow, Doc: "flow of the function"},
		{Name: "function", Kind: flib.Func, Doc: "function; the first 8 bytes of its result are read"},
		{Name: "interval", Kind: flib.String, Number: true, Doc: "\"0\": the result is read at each packet; \"1\": at each packet except the first; " +
			"otherwise the length of a period, for example \"5s\" (a number with s, ms, us or m (minutes), in 2^-32 s without a unit): " +
			"the result is read at the first packet after the end of each period, and the function is then reset. One packet ends at most one period"},
	},
	Result: "64 bytes: count as uint64 at 0; sum at 16 and sum of squares at 32, each as two float64 to add, exact below 2^106; " +
		"largest as float64 at 48, smallest at 56, in the unit of the function; see result.Stats",
	Example: `flow.Apply(ctx, "STATS", sizes, "0")`,
	Call:    `STATS(@1, 0)`,
	New:     newStats,
}

// statistics sums up the values of target.
type statistics struct {
	target   *flib.Ref
	skip     int    // packets to be skipped
	period   period // periodic if its length is not 0
	count    uint64
	sum      wideSum
	sum2     wideSum
	max, min uint64
	out      *flib.Result
}

func newStats(_ context.Context, env flib.Env, args flib.Args) (flib.Function, error) {
	target, err := refer(env, "STATS", mapierr.InvalidArgument1, args, 0)
	if err != nil {
		return nil, err
	}
	word, ticks, err := parseInterval("STATS", 3, args.String(2), "0", "1")
	if err != nil {
		return nil, err
	}
	s := &statistics{target: target, period: period{ticks: ticks}}
	if word == "1" {
		s.skip = 1
	}
	s.out, err = env.NewResult(result.StatsSize)
	return s, err
}

func (s *statistics) Process(in []*flib.Packet) []*flib.Packet {
	before := s.count
	if s.period.ticks > 0 {
		s.readPeriods(in)
	} else {
		s.readPackets(in)
	}
	if s.count != before {
		s.publish()
	}
	return in
}

func (s *statistics) readPackets(in []*flib.Packet) {
	n := len(in)
	skipped := min(s.skip, n)
	s.skip -= skipped
	v, ok := s.target.Value()
	for range n - skipped {
		if ok {
			s.add(v)
		}
	}
}

func (s *statistics) readPeriods(in []*flib.Packet) {
	for _, p := range in {
		if !s.period.endedOne(p.TS) {
			continue
		}
		if v, ok := s.target.Value(); ok {
			s.add(v)
			s.target.Reset()
		}
	}
}

func (s *statistics) add(v uint64) {
	if s.count == 0 {
		s.min = v
	}
	s.count++
	s.sum.add(v)
	s.sum2.addSquare(v)
	s.max, s.min = max(s.max, v), min(s.min, v)
}

func (s *statistics) publish() {
	r := result.Stats{Count: s.count, Sum: s.sum.wide(), Sum2: s.sum2.wide(), Max: float64(s.max), Min: float64(s.min)}
	r.Put(s.out.Begin())
	s.out.End()
}

// Reset zeroes the result. The current period continues.
func (s *statistics) Reset() {
	s.count, s.sum, s.sum2, s.max, s.min = 0, wideSum{}, wideSum{}, 0, 0
	s.publish()
}
