package flibtest

import (
	"context"
	"encoding/binary"

	"gomapi/flib"
	"gomapi/internal/pkt"
)

var talkersDef = flib.Def{
	Name: "TALKERS", Description: "Counts the IPv4 addresses that have sent a packet within the last 10 seconds.",
	Result: "number of addresses, as uint64",
	New: func(_ context.Context, env flib.Env, _ flib.Args) (flib.Function, error) {
		table, err := flib.NewTable[[4]byte, talker](env, 1<<20)
		if err != nil {
			return nil, err
		}
		result, err := env.NewResult(8)
		return &talkers{table: table, result: result}, err
	},
}

// talkers shows a table that expires. Use keeps it in the order of the last packet.
type talkers struct {
	table  *flib.Table[[4]byte, talker]
	result *flib.Result
	lost   uint64 // addresses for which there was no memory
}

type talker struct{ last uint64 }

const talking = 10 * second

func (t *talkers) Process(in []*flib.Packet) []*flib.Packet {
	for _, p := range in {
		t.expire(p.TS)
		var h pkt.Headers
		if pkt.Parse(p.Link, p.LinkType, &h); h.Has&pkt.HasIPv4 == 0 {
			continue
		}
		address := h.IPv4(p.Link).Src()
		if binary.BigEndian.Uint32(address[:]) == 0 {
			continue
		}
		if who, _, err := t.table.Put(address); err == nil {
			who.last = p.TS
		} else {
			t.lost++
		}
	}
	t.result.Set(uint64(t.table.Len()))
	return in
}

func (t *talkers) expire(now uint64) {
	for address, who := range t.table.All() {
		if who.last+talking > now {
			break
		}
		t.table.Delete(address)
	}
}

func (t *talkers) Deadline() uint64 {
	if _, who, ok := t.table.Oldest(); ok {
		return who.last + talking
	}
	return flib.NoDeadline
}

func (t *talkers) Expire(now uint64) []*flib.Packet {
	t.expire(now)
	t.result.Set(uint64(t.table.Len()))
	return nil
}
