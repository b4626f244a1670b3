package flibtest

import (
	"context"
	"encoding/binary"

	"gomapi/flib"
)

// Kinds of the records of SAMPLES.
const (
	KindIPv4  = 4 // the packet from the IPv4 header on
	KindOther = 1 // the length of the packet on the wire, 32 bits
)

// Samples is a function that makes one record per packet, of a kind and size that depend on
// the packet.
var Samples = flib.Def{
	Name:        "SAMPLES",
	Description: "Makes a record of each packet, for tests.",
	Result:      "records: IPv4 packets, or lengths of other packets",
	Example:     `flow.Apply(ctx, "SAMPLES")`,
	Call:        `SAMPLES`,
	New: func(_ context.Context, env flib.Env, _ flib.Args) (flib.Function, error) {
		out, err := env.NewRecords(64 << 10)
		return &samples{Records: out}, err
	},
}

type samples struct {
	*flib.Records
	wire [4]byte
}

func (s *samples) Process(in []*flib.Packet) []*flib.Packet {
	for _, p := range in {
		rec := flib.Record{TS: p.TS, Kind: KindOther, Data: s.wire[:]}
		binary.NativeEndian.PutUint32(s.wire[:], p.Wire)
		if len(p.Link) > 14 && binary.BigEndian.Uint16(p.Link[12:]) == 0x0800 {
			rec.Kind, rec.Data = KindIPv4, p.Link[14:]
		}
		s.Write(rec)
	}
	s.Flush()
	return in
}
