package stdflib

import (
	"context"

	"gomapi/flib"
)

var byteCounter = flib.Def{
	Name:        "BYTE_COUNTER",
	Description: "Adds up the lengths on the wire of the packets that reach it.",
	ExtraArgs:   true,
	Result:      "uint64: bytes on the wire since connect",
	Fields:      []flib.Field{{Name: "value", Kind: flib.FieldUint64, Unit: "bytes"}},
	Example:     `flow.Apply(ctx, "BYTE_COUNTER")`,
	Call:        `BYTE_COUNTER`,
	New: func(_ context.Context, env flib.Env, _ flib.Args) (flib.Function, error) {
		total, err := newTotal(env)
		return wireCounter{total}, err
	},
}

type wireCounter struct{ total }

func (c wireCounter) Process(in []*flib.Packet) []*flib.Packet {
	c.sum.Add(c.Sum(in))
	return in
}

func (wireCounter) Sum(in []*flib.Packet) (n uint64) {
	for _, p := range in {
		n += uint64(p.Wire)
	}
	return n
}
