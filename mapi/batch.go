package mapi

import (
	"context"

	"gomapi/internal/ring"
)

// batchMax is how many packets NextBatch takes at most. More would win little,
// and the daemon has their room back only with the next call.
const batchMax = 64

// NextBatch is Next for several packets: it waits until there are some, puts as
// many as are there into dst, at least one and at most 64, and returns how many.
// All their bytes are valid until the next call. It is the cheapest way to take
// many packets. Without room in dst it returns 0 and does not wait. Errors are
// those of Next, and come without packets.
func (fn *Function) NextBatch(ctx context.Context, dst []Packet) (int, error) {
	if err := fn.takeable(); err != nil {
		return 0, fn.failPacket(err)
	}
	var batch [batchMax]ring.Packet // a []ring.Packet is no []Packet
	n, err := fn.buffer.NextBatch(ctx, batch[:min(len(dst), batchMax)])
	if err != nil {
		return 0, fn.failPacket(fn.bufferError(ctx, err))
	}
	for i := range batch[:n] {
		dst[i] = Packet(batch[i])
	}
	return n, nil
}
