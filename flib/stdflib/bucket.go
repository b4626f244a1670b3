package stdflib

import (
	"context"

	"gomapi/flib"
	"gomapi/internal/mapierr"
	"gomapi/mapi/result"
)

// bucketEntries is the minimum number of entries that BUCKET keeps for its reader.
const bucketEntries = 1000

var bucket = flib.Def{
	Name: "BUCKET",
	Description: "Records the result of a function at the end of each period of packet time, as a series. " +
		"The packet that ends a period comes after its end and does not belong to it: BUCKET runs before a function that it reads in its own flow. " +
		"No packet ends the last period, so it has no entry. " +
		"A time stamp far in the future ends all periods up to it: the next entry comes only when packet time has reached it.",
	Args: []flib.Arg{
		{Name: "flow", Kind: flib.Flow, Doc: "flow of the function"},
		{Name: "function", Kind: flib.Func, Doc: "function; the first 8 bytes of its result are recorded"},
		{Name: "interval", Kind: flib.String, Number: true, Doc: "length of a period, for example \"5s\": a number with s, ms, us or m (minutes), in 2^-32 s without a unit; " +
			"\"0\" records the result at each packet, \"-1\" never"},
		{Name: "reset", Kind: flib.Int, Min: 0, Max: 1, Doc: "1: reset the function at the end of each period; 0: do not"},
	},
	Result: "series of 16 bytes each: end of the period as uint64 in 2^-32 s since 1970, result as uint64; " +
		"periods without packets give 0. At least the newest 1000 entries are kept; " +
		"at least 1000 zeros are recorded at once, and 24 more for each packet that ends periods; others count as lost",
	Fields: []flib.Field{
		{Name: "at", Kind: flib.FieldMoment},
		{Name: "value", Kind: flib.FieldUint64, Unit: flib.TargetUnit},
	},
	Text:    "{at} {value}",
	Example: `flow.Apply(ctx, "BUCKET", packets, "5s", 1)`,
	Call:    `BUCKET(@1, 5s, 1)`,
	New:     newBucket,
}

// resultLog records the result of target.
type resultLog struct {
	target *flib.Ref
	reset  bool
	every  bool   // at each packet; never resets
	period period // periodic if its length is not 0
	out    series
	buf    [result.BucketSize]byte
}

func newBucket(_ context.Context, env flib.Env, args flib.Args) (flib.Function, error) {
	target, err := refer(env, "BUCKET", mapierr.InvalidArgument2, args, 0)
	if err != nil {
		return nil, err
	}
	word, ticks, err := parseInterval("BUCKET", 3, args.String(2), "0", "-1")
	if err != nil {
		return nil, err
	}
	b := &resultLog{target: target, reset: args.Int(3) == 1, every: word == "0", period: period{ticks: ticks}}
	b.out, err = newSeries(env, "BUCKET", result.BucketSize, bucketEntries)
	return b, err
}

// Precedes implements flib.Predecessor.
func (b *resultLog) Precedes() []*flib.Ref {
	if b.period.ticks == 0 {
		return nil
	}
	return []*flib.Ref{b.target}
}

func (b *resultLog) Process(in []*flib.Packet) []*flib.Packet {
	switch {
	case b.every:
		b.note(in)
	case b.period.ticks > 0:
		for _, p := range in {
			if n, end := b.period.ended(p.TS); n > 0 {
				b.close(n, end)
			}
		}
	}
	b.out.flush()
	return in
}

func (b *resultLog) note(in []*flib.Packet) {
	v, ok := b.target.Value()
	if !ok {
		return
	}
	for _, p := range in {
		b.append(p.TS, v)
	}
}

// close records the period that ended at end, and the n-1 periods after it, which had no
// packets.
func (b *resultLog) close(n, end uint64) {
	v, ok := b.target.Value()
	if !ok {
		return
	}
	b.append(end, v)
	b.out.earn()
	for i := b.out.leaveOut(n - 1); i < n-1; i++ {
		b.append(end+(i+1)*b.period.ticks, 0)
	}
	if b.reset {
		b.target.Reset()
	}
}

func (b *resultLog) append(ts, v uint64) {
	b.out.append(result.BucketEntry{TS: ts, Value: v}.Append(b.buf[:0]))
}

func (b *resultLog) End() []*flib.Packet {
	b.out.ring.End()
	return nil
}
