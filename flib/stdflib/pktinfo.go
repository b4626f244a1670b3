package stdflib

import (
	"context"

	"gomapi/flib"
	"gomapi/internal/mapierr"
	"gomapi/mapi/result"
)

// Values of PKTINFO's argument; programs know them as mapi.PktTS and mapi.PktSize.
const (
	pktTS   = 0
	pktSize = 1
)

var pktInfo = flib.Def{
	Name: "PKTINFO",
	Description: "Returns the time stamp or the length of the newest packet that reached it, " +
		"for other functions that refer to it.",
	Args: []flib.Arg{{
		Name: "what", Kind: flib.Int,
		Doc: "mapi.PktTS (0): the time stamp; mapi.PktSize (1): the length on the wire",
	}},
	Result: "uint64: time stamp in 2^-32 seconds since 1970-01-01 UTC, or length in bytes; 0 before the first packet",
	Fields: []flib.Field{
		{Name: "at", Kind: flib.FieldTime, When: "what=0"},
		{Name: "value", Kind: flib.FieldUint64, Unit: "bytes", When: "what=1"},
	},
	Example: `flow.Apply(ctx, "PKTINFO", mapi.PktSize)`,
	Call:    `PKTINFO(PKT_SIZE)`,
	New: func(_ context.Context, env flib.Env, args flib.Args) (flib.Function, error) {
		what := args.Int(0)
		if what != pktTS && what != pktSize {
			// The error has the number of a second argument, as in the original, although
			// there is only one argument.
			return nil, mapierr.New(mapierr.InvalidArgument2,
				"PKTINFO: argument 1 (what): %d is unknown, use 0 (mapi.PktTS) or 1 (mapi.PktSize)", what)
		}
		out, err := env.NewResult(result.PktInfoSize)
		return &packetInfo{size: what == pktSize, out: out}, err
	},
}

type packetInfo struct {
	size bool // returns lengths, not times
	out  *flib.Result
}

// Process looks only at the last packet, because it overwrites earlier ones.
func (i *packetInfo) Process(in []*flib.Packet) []*flib.Packet {
	p := in[len(in)-1]
	if i.size {
		i.out.Set(uint64(p.Wire))
	} else {
		i.out.Set(p.TS)
	}
	return in
}
