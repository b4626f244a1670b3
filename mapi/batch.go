package mapi

import (
	"context"

	"gomapi/internal/ring"
)

// batchMax is the maximum number of packets per NextBatch. More would gain
// little, and the daemon can reuse their memory only after the next call.
const batchMax = 64

// NextBatch is Next for several packets, and the fastest way to take many
// packets. It waits until a packet is available, stores the available packets
// in dst, at most 64, and returns their number. Their bytes are valid until the
// next call, or until the flow is closed. If dst is empty, it returns 0 and does not wait. It has the errors
// of Next; with an error it returns no packets.
func (fn *Function) NextBatch(ctx context.Context, dst []Packet) (int, error) {
	if err := fn.takeable(); err != nil {
		return 0, fn.failPacket(err)
	}
	var batch [batchMax]ring.Packet // []ring.Packet cannot be converted to []Packet
	n, err := fn.buffer.NextBatch(ctx, batch[:min(len(dst), batchMax)])
	if err != nil {
		return 0, fn.failPacket(fn.bufferError(ctx, err))
	}
	for i := range batch[:n] {
		dst[i] = Packet(batch[i])
	}
	return n, nil
}
