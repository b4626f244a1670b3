package stdflib

import (
	"context"
	"encoding/binary"

	"gomapi/flib"
	"gomapi/internal/mapierr"
	"gomapi/mapi/result"
)

// maxIntervals limits a DIST. A reader must copy all counters between two packets, which
// takes 20 us for this number, and retries until it succeeds.
const maxIntervals = 16384

var dist = flib.Def{
	Name: "DIST",
	Description: "At each packet that reaches it, counts the interval in which the result of another function lies. " +
		"The other function, such as PKTINFO or GAP, should come before it. Packets are not counted while the other function's flow is not connected or closed.",
	Args: []flib.Arg{
		{Name: "fd", Kind: flib.Flow, Doc: "flow of the function that is read; in Go, one *mapi.Function stands for fd and fid"},
		{Name: "fid", Kind: flib.Func, Doc: "the function that is read"},
		{Name: "min", Kind: flib.String, Number: true, Doc: "lower limit of the first interval, in the unit of the result, or a time with s, ms, us or m (minutes)"},
		{Name: "max", Kind: flib.String, Number: true, Doc: "upper limit of the last interval, in the same form, not less than min"},
		{Name: "interval", Kind: flib.String, Number: true, Doc: "width of the intervals, in the same form, from 1 to max-min; at most 16384 intervals"},
	},
	Result: "min, max, n (intervals), then n+1 counters of packets (below min+interval, ..., from max on), and an unused word; all uint64",
	Fields: []flib.Field{
		{Name: "min", Kind: flib.FieldUint64, Unit: flib.TargetUnit},
		{Name: "max", Kind: flib.FieldUint64, Unit: flib.TargetUnit},
		{Name: "intervals", Kind: flib.FieldUint64, Unit: "intervals", Hidden: true},
		{Name: "counts", Kind: flib.FieldRows, Rows: []flib.Field{{Name: "packets", Kind: flib.FieldUint64, Unit: "packets"}}},
		{Kind: flib.FieldUint64},
	},
	Text:    "packets in {intervals} from {#min} to {max}, and above: {counts}",
	Example: `flow.Apply(ctx, "DIST", size, 0, 1600, 100)`,
	Call:    `DIST(@1, 0, 1600, 100)`,
	New: func(_ context.Context, env flib.Env, args flib.Args) (flib.Function, error) {
		return newDistribution(env, args)
	},
}

// distribution counts the values of a function by interval.
type distribution struct {
	ref                *flib.Ref
	min, max, interval uint64
	n                  int // intervals; their counters and the one behind the last interval are in out
	out                *flib.Result
}

func newDistribution(env flib.Env, args flib.Args) (*distribution, error) {
	d := &distribution{}
	var err error
	if d.ref, err = refer(env, "DIST", mapierr.InvalidArgument1, args, 0); err != nil {
		return nil, err
	}
	for i, bound := range []struct {
		name  string
		value *uint64
	}{{"min", &d.min}, {"max", &d.max}, {"interval", &d.interval}} {
		if *bound.value, err = parseTicks(args.String(2 + i)); err != nil {
			return nil, mapierr.New(mapierr.BadArgument(2+i), "DIST: argument %d (%s): %v", 3+i, bound.name, err)
		}
	}
	if err := d.divide(); err != nil {
		return nil, err
	}
	if d.out, err = env.NewResult(result.DistSize(d.n)); err != nil {
		return nil, err
	}
	result.Dist{Min: d.min, Max: d.max, Counts: make([]uint64, d.n+1)}.Put(d.out.Begin())
	d.out.End()
	return d, nil
}

// divide checks the limits and counts the intervals between them.
func (d *distribution) divide() error {
	switch width := d.max - d.min; {
	case d.min > d.max:
		return mapierr.New(mapierr.InvalidArgument, "DIST: arguments 3 and 4: min %d is above max %d", d.min, d.max)
	case d.interval == 0:
		return mapierr.New(mapierr.InvalidArgument5, "DIST: argument 5 (interval): 0 is not a width: use 1 or more")
	case d.interval > width:
		return mapierr.New(mapierr.InvalidArgument4,
			"DIST: argument 4 (max): the interval %d is wider than the range from min %d to max %d", d.interval, d.min, d.max)
	case (width-1)/d.interval >= maxIntervals:
		return mapierr.New(mapierr.InvalidArgument5,
			"DIST: argument 5 (interval): a width of %d gives more than %d intervals from %d to %d: use a larger width",
			d.interval, maxIntervals, d.min, d.max)
	default:
		d.n = int((width-1)/d.interval) + 1
		return nil
	}
}

// Process counts the value once for each packet. A function that refers to another one
// gets packets one by one; in a longer list all packets find the same value.
func (d *distribution) Process(in []*flib.Packet) []*flib.Packet {
	v, ok := d.ref.Value()
	if !ok {
		return in
	}
	at := result.DistCount(d.slot(v))
	b := d.out.Begin()
	binary.NativeEndian.PutUint64(b[at:], binary.NativeEndian.Uint64(b[at:])+uint64(len(in)))
	d.out.End()
	return in
}

// slot returns the number of the counter for v.
func (d *distribution) slot(v uint64) int {
	switch {
	case v < d.min:
		return 0
	case v >= d.max:
		return d.n
	}
	return int((v - d.min) / d.interval)
}

func (d *distribution) Reset() {
	clear(d.out.Begin()[result.DistCount(0):])
	d.out.End()
}
