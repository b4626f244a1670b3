package nic

import (
	"golang.org/x/sys/unix"

	"gomapi/drivers"
)

// A blockRing is a TPACKET_V3 ring. The kernel hands a block over when the next
// packet does not fit, or after the retire time.
type blockRing struct {
	mapping
	status []*uint32 // of each block
	at     int       // block that is walked or comes next
	ours   bool      // it has been handed over
	walk   cursor    // through it
}

// blockGeometry returns the shape that o asks for. The frame size is
// bookkeeping in V3, where packets lie in a block one after the other, but it
// must fit the block.
func blockGeometry(o options) geometry {
	return geometry{
		blockBytes: o.blockBytes,
		blocks:     o.ringBytes / o.blockBytes,
		frameBytes: min(o.blockBytes, 65536),
		retire:     o.retire,
	}
}

// newBlockRing asks the kernel for the ring, for a smaller one while memory is
// short.
func newBlockRing(sock int, o options) (*blockRing, error) {
	r := &blockRing{mapping: mapping{geometry: blockGeometry(o)}}
	err := shrinkUntil(&r.geometry, func(req *unix.TpacketReq3) error {
		return unix.SetsockoptTpacketReq3(sock, unix.SOL_PACKET, unix.PACKET_RX_RING, req)
	})
	if err != nil {
		return nil, err
	}
	if err := r.mmap(sock); err != nil {
		return nil, err
	}
	r.status = make([]*uint32, r.blocks)
	for i := range r.status {
		r.status[i] = statusOf(r.block(i)[blockStatus:])
	}
	return r, nil
}

func (r *blockRing) block(i int) []byte {
	end := (i + 1) * r.blockBytes
	return r.mem[i*r.blockBytes : end : end]
}

// fill implements ring. Blocks may be empty.
func (r *blockRing) fill(v *view, batch []drivers.Packet) int {
	for {
		if n := v.fill(&r.walk, batch); n > 0 {
			return n
		}
		if r.ours {
			giveBack(r.status[r.at])
			r.ours = false
			r.at = (r.at + 1) % r.blocks
		}
		if !owned(r.status[r.at]) {
			return 0
		}
		r.ours = true
		r.walk = newCursor(r.block(r.at))
	}
}

// fill reads packets of c into batch until either ends and returns how many.
func (v *view) fill(c *cursor, batch []drivers.Packet) int {
	var r record
	n := 0
	for n < len(batch) {
		b := c.next()
		if b == nil {
			v.broken += c.broken
			c.broken = 0
			break
		}
		r.readBlock(b)
		if v.see(&r, &batch[n]) {
			n++
		}
	}
	return n
}
