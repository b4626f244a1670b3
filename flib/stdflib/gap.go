package stdflib

import (
	"context"

	"gomapi/flib"
	"gomapi/mapi/result"
)

var gap = flib.Def{
	Name:        "GAP",
	Description: "Measures the time between the newest packet that reached it and the packet before.",
	Result: "uint64: time in 2^-32 seconds, 0 before the second packet; " +
		"if a packet is older than the one before it, the negative time modulo 2^64",
	Fields:  []flib.Field{{Name: "seconds", Kind: flib.FieldSpan}},
	Example: `flow.Apply(ctx, "GAP")`,
	Call:    `GAP`,
	New: func(_ context.Context, env flib.Env, _ flib.Args) (flib.Function, error) {
		out, err := env.NewResult(result.GapSize)
		return &gapMeter{out: out}, err
	},
}

type gapMeter struct {
	last  uint64 // time stamp of the newest packet
	began bool
	out   *flib.Result
}

// Process looks at the last two packets, because their gap overwrites earlier ones.
func (g *gapMeter) Process(in []*flib.Packet) []*flib.Packet {
	n := len(in)
	if n > 1 {
		g.last, g.began = in[n-2].TS, true
	}
	ts := in[n-1].TS
	if g.began {
		g.out.Set(ts - g.last)
	}
	g.last, g.began = ts, true
	return in
}
