package stdflib

import (
	"context"
	"math"
	"math/bits"
	"time"

	"gomapi/flib"
	"gomapi/internal/mapierr"
	"gomapi/mapi/result"
)

// maxCategories limits the result of BURST: a reader copies it whole while bursts end,
// and must finish between two batches.
const maxCategories = 4096

var burst = flib.Def{
	Name: "BURST",
	Description: "Combines packets that follow each other without a pause into bursts, " +
		"and counts the bursts of each size and the gaps between them.",
	Args: []flib.Arg{
		{Name: "min", Kind: flib.Int, Min: 0, Max: math.MaxInt32,
			Doc: "smallest size with a category of its own, in bytes on the wire: smaller bursts and gaps are in category 0"},
		{Name: "max", Kind: flib.Int, Min: 1, Max: math.MaxInt32,
			Doc: "size in bytes, above min: there are (max-min)/step+1 categories from min on, and the last one has no upper limit"},
		{Name: "step", Kind: flib.Int, Min: 1, Max: math.MaxInt32,
			Doc: "width of a category in bytes, large enough for at most 4096 categories"},
		{Name: "iftime", Kind: flib.Int, Unit: time.Nanosecond, Min: 0, Max: math.MaxInt32, Doc: "time between two packets of a burst in ns"},
		{Name: "late", Kind: flib.Int, Unit: time.Nanosecond, Min: 0, Max: math.MaxInt32, Doc: "by how many ns a packet may be late and still belong to the burst"},
		{Name: "early", Kind: flib.Int, Unit: time.Nanosecond, Min: 0, Max: math.MaxInt32, Doc: "by how many ns a packet may be early and still belong to the burst"},
		{Name: "link_speed", Kind: flib.Int, Min: 1, Max: math.MaxInt32, Doc: "speed of the link in Mbit/s"},
		{Name: "flush", Kind: flib.Int, Min: 0, Max: 1, Default: int32(0), Added: true,
			Doc: "1: count the burst that is open when the device ends; 0: do not"},
	},
	Result: "5 uint64 for each category of sizes (result.BurstCategory): bytes, packets and number of its bursts, " +
		"bytes that would fit into its gaps, number of its gaps; a gap follows each burst that has ended, even if no byte fits into it",
	Fields: []flib.Field{{Name: "categories", Kind: flib.FieldRows, Unit: "categories", Rows: []flib.Field{
		{Name: "category", Kind: flib.FieldIndex},
		{Name: "bytes", Kind: flib.FieldUint64, Unit: "bytes"},
		{Name: "packets", Kind: flib.FieldUint64, Unit: "packets"},
		{Name: "bursts", Kind: flib.FieldUint64, Unit: "bursts"},
		{Name: "gap_bytes", Kind: flib.FieldUint64, Unit: "bytes"},
		{Name: "gaps", Kind: flib.FieldUint64, Unit: "gaps"},
	}}},
	Text:    "[{#categories} with bursts or gaps{categories}|no bursts or gaps]",
	Example: `flow.Apply(ctx, "BURST", 0, 10000, 1000, 16000, 1230400, 1230400, 10)`,
	Call:    `BURST(0, 10000, 1000, 16000, 1230400, 1230400, 10)`,
	New: func(_ context.Context, env flib.Env, args flib.Args) (flib.Function, error) {
		b, err := newBurst(args)
		if err != nil {
			return nil, err
		}
		b.out, err = env.NewResult((b.last + 1) * result.BurstCategorySize)
		return b, err
	},
}

// bursts finds bursts and gaps. Times are in ns, and exact for packets whose time stamps
// are whole ns.
type bursts struct {
	min, step        uint64
	last             int // category
	ifTime           int64
	late, early      int64
	speed            uint64 // Mbit/s
	flush            bool
	out              *flib.Result
	result           []byte // of out, while it is written
	seen             bool   // there was a packet
	ts, wire         uint64 // of the last packet, in 2^-32 s and bytes
	wireMin, wireMax int64  // time that its bytes take on the wire, rounded up and down
	bytes, packets   uint64 // of the open burst
}

func newBurst(args flib.Args) (*bursts, error) {
	low, high, step := args.Int(0), args.Int(1), args.Int(2)
	if high <= low {
		return nil, mapierr.New(mapierr.InvalidArgument2,
			"BURST: argument 2 (max): %d is not above min, %d", high, low)
	}
	last := int((high-low)/step) + 1
	if last >= maxCategories {
		return nil, mapierr.New(mapierr.InvalidArgument3,
			"BURST: argument 3 (step): %d gives %d categories, at most %d are allowed: use a larger step", step, last+1, maxCategories)
	}
	return &bursts{
		min: uint64(low), step: uint64(step), last: last,
		ifTime: int64(args.Int(3)), late: int64(args.Int(4)), early: int64(args.Int(5)),
		speed: uint64(args.Int(6)), flush: args.Int(7) == 1,
	}, nil
}

func (b *bursts) Process(in []*flib.Packet) []*flib.Packet {
	for _, p := range in {
		b.see(p)
	}
	b.publish()
	return in
}

func (b *bursts) see(p *flib.Packet) {
	if b.seen {
		if since := nanosBetween(b.ts, p.TS) - b.ifTime; since+b.early < b.wireMin || since-b.late > b.wireMax {
			b.end()
			b.gap(since)
		}
	}
	b.seen = true
	b.bytes += uint64(p.Wire)
	b.packets++
	b.ts, b.wire = p.TS, uint64(p.Wire)
	nanos := b.wire * 8000
	b.wireMax = int64(nanos / b.speed)
	b.wireMin = b.wireMax
	if nanos%b.speed != 0 {
		b.wireMin++
	}
}

// end counts the open burst.
func (b *bursts) end() {
	c := result.BurstCategory{Bytes: b.bytes, Packets: b.packets}
	if b.bytes > 0 {
		c.Bursts = 1
	}
	b.add(b.bytes, c)
	b.bytes, b.packets = 0, 0
}

// gap counts the gap before a packet that came since ns after the start of the last one,
// without the time between two packets.
func (b *bursts) gap(since int64) {
	room := uint64(math.MaxUint64) // bytes that the link could carry since then
	if hi, lo := bits.Mul64(uint64(max(since, 0)), b.speed); hi < 8000 {
		room, _ = bits.Div64(hi, lo, 8000)
	}
	gap := room - min(room, b.wire)
	b.add(gap, result.BurstCategory{GapBytes: gap, Gaps: 1})
}

// add adds c to the category of a size.
func (b *bursts) add(size uint64, c result.BurstCategory) {
	i := 0
	if size >= b.min {
		i = int(min((size-b.min)/b.step+1, uint64(b.last)))
	}
	if b.result == nil {
		b.result = b.out.Begin()
	}
	c.Add(b.result[i*result.BurstCategorySize:])
}

// publish shows the added counts to readers.
func (b *bursts) publish() {
	if b.result != nil {
		b.result = nil
		b.out.End()
	}
}

// End counts the open burst if requested.
func (b *bursts) End() []*flib.Packet {
	if b.flush && b.packets > 0 {
		b.end()
		b.publish()
	}
	return nil
}

// Reset clears everything, including the open burst.
func (b *bursts) Reset() {
	b.seen, b.bytes, b.packets = false, 0, 0
	clear(b.out.Begin())
	b.out.End()
}

// nanosBetween returns the time from a to b in ns, rounded to nearest. It is exact for
// time stamps that were converted from ns.
func nanosBetween(a, b uint64) int64 {
	if b < a {
		return -nanosBetween(b, a)
	}
	hi, lo := bits.Mul64(b-a, 1e9)
	lo, carry := bits.Add64(lo, 1<<31, 0)
	return int64((hi+carry)<<32 | lo>>32)
}
