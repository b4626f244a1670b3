package flibtest

import (
	"context"
	"encoding/binary"

	"gomapi/flib"
)

var lengthsDef = flib.Def{
	Name: "LENGTHS", Description: "Counts packets by their length.", Result: "65536 counters of packets, as uint64, by length in bytes",
	New: func(_ context.Context, env flib.Env, _ flib.Args) (flib.Function, error) {
		result, err := env.NewResult(8 << 16)
		return &lengths{result: result}, err
	},
}

// lengths shows a result that is too large to be written for each batch.
type lengths struct {
	counts [1 << 16]uint64
	result *flib.Result
}

func (l *lengths) Process(in []*flib.Packet) []*flib.Packet {
	for _, p := range in {
		l.counts[min(p.Wire, 1<<16-1)]++
	}
	return in
}

// Publish implements flib.Publisher.
func (l *lengths) Publish() {
	table := l.result.Begin()
	for i, n := range l.counts {
		binary.NativeEndian.PutUint64(table[8*i:], n)
	}
	l.result.End()
}
