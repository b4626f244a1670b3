package flibtest

import (
	"context"

	"gomapi/flib"
)

var joinDef = flib.Def{
	Name: "JOIN", Description: "Emits one packet with the bytes of every three.", Emits: true,
	New: func(context.Context, flib.Env, flib.Args) (flib.Function, error) { return &joiner{}, nil },
}

// joiner shows the emission of fewer packets than came. It has memory for all packets of a
// list, because they stay valid until the next call.
type joiner struct {
	joined [flib.MaxList/3 + 2]flib.Packet
	parts  int // in joined[0]
	out    []*flib.Packet
}

func (j *joiner) Process(in []*flib.Packet) []*flib.Packet {
	if n := len(j.out); n > 0 { // they are not needed any more; the next one may have parts
		j.joined[0], j.joined[n] = j.joined[n], j.joined[0]
	}
	j.out = j.out[:0]
	for _, p := range in {
		q := &j.joined[len(j.out)]
		if j.parts == 0 {
			*q = flib.Packet{TS: p.TS, LinkType: p.LinkType, Link: q.Link[:0]}
		}
		q.Link, q.Wire = append(q.Link, p.Link...), q.Wire+p.Wire
		if j.parts++; j.parts == 3 {
			j.out, j.parts = append(j.out, q), 0
		}
	}
	return j.out
}

// End emits what is left.
func (j *joiner) End() []*flib.Packet {
	j.Process(nil)
	if j.parts > 0 {
		j.out, j.parts = append(j.out, &j.joined[0]), 0
	}
	return j.out
}
