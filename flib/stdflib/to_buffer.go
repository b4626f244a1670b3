package stdflib

import (
	"context"
	"sync/atomic"

	"gomapi/flib"
	"gomapi/internal/books"
	"gomapi/internal/mapierr"
)

// How GetNextPkt waits for packets.
const (
	wait   = 0 // until a packet is there
	noWait = 1 // it does not wait
)

// bufferSize is the size of the buffer for packets that the reader has not taken yet, in
// bytes. It holds the largest packet and some milliseconds of a full link.
const bufferSize = 4 << 20

var toBuffer = flib.Def{
	Name: "TO_BUFFER",
	Description: "Passes packets to the program, which reads them with GetNextPkt or Loop. If the program is too slow, " +
		"packets of a live device are lost for this buffer and counted; capture files wait.",
	Args: []flib.Arg{{
		Name: "flag", Kind: flib.Int, Min: wait, Max: noWait, Default: int32(wait),
		Doc: "0: GetNextPkt waits until there is a packet; 1: it does not wait",
	}},
	Example: `flow.Apply(ctx, "TO_BUFFER")`,
	Call:    `TO_BUFFER`,
	New: func(_ context.Context, env flib.Env, _ flib.Args) (flib.Function, error) {
		ring, err := env.NewRing(bufferSize)
		if err != nil {
			return nil, mapierr.Wrap(mapierr.CodeOf(err, mapierr.DaemonShm), "no memory for the packet buffer", err)
		}
		return &packetBuffer{ring: ring, live: env.Live()}, nil
	},
}

// packetBuffer copies packets into a ring.
type packetBuffer struct {
	ring  *flib.Ring
	live  bool
	short flib.Packet   // a packet that is cut
	cut   atomic.Uint64 // packets that were cut
}

func (b *packetBuffer) Process(in []*flib.Packet) []*flib.Packet {
	for _, p := range in {
		if most := b.ring.MaxData(); len(p.Link) > most { // emitted by a function
			b.short = *p
			b.short.Link = p.Link[:most]
			b.cut.Add(1)
			p = &b.short
		}
		if b.live {
			b.ring.Write(p)
		} else {
			b.ring.WriteWait(p)
		}
	}
	b.ring.Flush()
	return in
}

func (b *packetBuffer) End() []*flib.Packet {
	b.ring.End()
	return nil
}

func (b *packetBuffer) Interrupt() { b.ring.Stop() }

// Books implements flib.CounterSource.
func (b *packetBuffer) Books() (out, notes []books.Line) {
	c := b.ring.Shown()
	return []books.Line{
		{Name: books.Written, Value: c.Written},
		{Name: books.LostBuffer, Value: c.Full},
	}, []books.Line{{Name: books.OfWhichCutBuffer, Value: b.cut.Load()}}
}
