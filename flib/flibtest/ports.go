package flibtest

import (
	"context"
	"encoding/binary"

	"gomapi/flib"
	"gomapi/internal/pkt"
)

var learnedDef = flib.Def{
	Name: "LEARNED", Filters: true,
	Description: "Passes UDP packets to a port that an earlier packet to port 7 has named in the first two bytes of its payload.",
	New: func(_ context.Context, env flib.Env, _ flib.Args) (flib.Function, error) {
		marks, err := env.Analyser("testlib.ports", func() (flib.Analyser, error) { return &ports{}, nil })
		return &learned{marks: marks}, err
	},
}

// ports is an analyser that learns ports of UDP. It marks the packets to them with 1.
type ports struct{ known [1 << 16]bool }

func (a *ports) Analyse(pkts []flib.Packet, marks []uint8) {
	for i := range pkts {
		var h pkt.Headers
		pkt.Parse(pkts[i].Link, pkts[i].LinkType, &h)
		switch payload := pkts[i].Link[h.Payload:h.End]; {
		case h.Has&pkt.HasPorts == 0 || h.Proto != pkt.ProtoUDP:
		case h.DstPort == 7 && len(payload) >= 2:
			a.known[binary.BigEndian.Uint16(payload)] = true
		case a.known[h.DstPort]:
			marks[i] = 1
		}
	}
}

// learned is a filter that decides by the mark alone, so flows share it.
type learned struct {
	marks *flib.Marks
	out   []*flib.Packet
}

func (l *learned) Process(in []*flib.Packet) []*flib.Packet {
	l.out = l.out[:0]
	for _, p := range in {
		if l.marks.Of(p) == 1 {
			l.out = append(l.out, p)
		}
	}
	return l.out
}

// Stateless implements flib.Stateless.
func (l *learned) Stateless() {}
