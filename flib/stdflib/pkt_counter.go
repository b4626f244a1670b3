package stdflib

import (
	"context"

	"gomapi/flib"
)

var pktCounter = flib.Def{
	Name:        "PKT_COUNTER",
	Description: "Counts the packets that reach it.",
	ExtraArgs:   true,
	Result:      "uint64: packets since connect",
	Fields:      []flib.Field{{Name: "value", Kind: flib.FieldUint64, Unit: "packets"}},
	Example:     `flow.Apply(ctx, "PKT_COUNTER")`,
	Call:        `PKT_COUNTER`,
	New: func(_ context.Context, env flib.Env, _ flib.Args) (flib.Function, error) {
		total, err := newTotal(env)
		return packetCounter{total}, err
	},
}

type packetCounter struct{ total }

func (c packetCounter) Process(in []*flib.Packet) []*flib.Packet {
	c.sum.Add(c.Sum(in))
	return in
}

func (packetCounter) Sum(in []*flib.Packet) uint64 { return uint64(len(in)) }
