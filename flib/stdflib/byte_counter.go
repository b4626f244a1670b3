package stdflib

import (
	"context"

	"gomapi/flib"
	"gomapi/mapi/result"
)

var byteCounter = flib.Def{
	Name:        "BYTE_COUNTER",
	Description: "Adds up the lengths on the wire of the packets that reach it.",
	ExtraArgs:   true,
	Result:      "uint64: bytes on the wire since connect",
	Example:     `flow.Apply(ctx, "BYTE_COUNTER")`,
	New: func(_ context.Context, env flib.Env, _ flib.Args) (flib.Function, error) {
		out, err := env.NewResult(result.CounterSize)
		return &wireCounter{out: out}, err
	},
}

type wireCounter struct {
	bytes uint64
	out   *flib.Result
}

func (c *wireCounter) Process(in []*flib.Packet) []*flib.Packet {
	c.Add(c.Sum(in))
	return in
}

func (c *wireCounter) Sum(in []*flib.Packet) (n uint64) {
	for _, p := range in {
		n += uint64(p.Wire)
	}
	return n
}

func (c *wireCounter) Add(n uint64) {
	c.bytes += n
	c.out.Set(c.bytes)
}

func (c *wireCounter) Reset() {
	c.bytes = 0
	c.out.Set(0)
}
