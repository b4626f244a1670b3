package stdflib

import (
	"context"

	"gomapi/flib"
	"gomapi/mapi/result"
)

var pktCounter = flib.Def{
	Name:        "PKT_COUNTER",
	Description: "Counts the packets that reach it.",
	ExtraArgs:   true,
	Result:      "uint64: packets since connect",
	Example:     `flow.Apply(ctx, "PKT_COUNTER")`,
	New: func(_ context.Context, env flib.Env, _ flib.Args) (flib.Function, error) {
		out, err := env.NewResult(result.CounterSize)
		return &packetCounter{out: out}, err
	},
}

type packetCounter struct {
	packets uint64
	out     *flib.Result
}

func (c *packetCounter) Process(in []*flib.Packet) []*flib.Packet {
	c.Add(c.Sum(in))
	return in
}

func (c *packetCounter) Sum(in []*flib.Packet) uint64 { return uint64(len(in)) }

func (c *packetCounter) Add(n uint64) {
	c.packets += n
	c.out.Set(c.packets)
}

func (c *packetCounter) Reset() {
	c.packets = 0
	c.out.Set(0)
}
