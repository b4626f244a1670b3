package nic

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
)

// A blockRing is a TPACKET_V3 ring. The kernel hands a block over when the next
// packet does not fit, or after the retire time.
type blockRing struct {
	mapping
	number  uint64        // of the first block that the kernel opened
	given   uint64        // blocks released; the next is being walked or comes next
	ours    bool          // the next block is handed over
	walk    cursor        // through this block
	reached atomic.Uint64 // position of fill in the ring, for waiting
}

// blockGeometry returns the geometry for o. In V3 packets are packed in a
// block, so the frame size has no meaning, but it must divide the block size.
func blockGeometry(o options) geometry {
	return geometry{
		blockBytes: o.blockBytes,
		blocks:     o.ringBytes / o.blockBytes,
		frameBytes: min(o.blockBytes, 65536),
		retire:     o.retire,
	}
}

// newBlockRing requests the ring from the kernel, and a smaller one while
// memory is short.
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
	r.number = load64(r.block(0)[blockNumber:]) // the kernel opens it at once
	return r, nil
}

// block returns the block that the kernel opens after n others.
func (r *blockRing) block(n uint64) []byte {
	start := int(n%uint64(r.blocks)) * r.blockBytes
	end := start + r.blockBytes
	return r.mem[start:end:end]
}

// fill implements ring. Blocks may be empty.
func (r *blockRing) fill(v *view, batch []drivers.Packet) int {
	for {
		if n := v.fill(&r.walk, batch); n > 0 {
			r.reached.Store(placeOf(r.given, packetsIn(r.block(r.given))-r.walk.left))
			return n
		}
		block := r.block(r.given)
		if r.ours {
			r.ours = false
			r.given++
			r.reached.Store(placeOf(r.given, 0)) // before the kernel may open it again
			giveBack(statusOf(block[blockStatus:]))
			block = r.block(r.given)
		}
		if !owned(statusOf(block[blockStatus:])) {
			return 0
		}
		r.ours = true
		r.walk = newCursor(block)
	}
}

// fullness implements ring.
func (r *blockRing) fullness() int {
	return percentOf(r.blocks, func(i int) bool {
		return owned(statusOf(r.block(r.given + uint64(i))[blockStatus:]))
	})
}

// waiting implements ring. The kernel numbers blocks in the order in which it
// opens them, and counts a packet in its block at once (prb_open_block,
// prb_fill_curr_block in net/packet/af_packet.c). A released block keeps its
// number and count until it is opened again.
func (r *blockRing) waiting() (n uint64) {
	first := blocksOf(r.reached.Load())
	for at := first; at < first+uint64(r.blocks); at++ {
		b := r.block(at)
		opened := load64(b[blockNumber:]) == r.number+at
		closed := owned(statusOf(b[blockStatus:]))
		packets := uint64(packetsIn(b))
		// Read this last: it tells whether the kernel could have changed b
		// meanwhile.
		reached := r.reached.Load()
		switch {
		case blocksOf(reached) > at: // fill has passed it
			continue
		case !opened:
			return n
		case blocksOf(reached) == at:
			packets -= min(packets, packetsOf(reached))
		}
		n += packets
		if !closed {
			return n
		}
	}
	return n
}

// A place in the ring is one word, so that its parts are consistent: the number
// of released blocks, and the packets taken from the next block. The largest
// block has less than 2^20 packets. At 10 Gbit/s it takes seven years to fill
// 2^44 of the smallest blocks.
const placeBits = 20

func placeOf(blocks uint64, packets uint32) uint64 { return blocks<<placeBits | uint64(packets) }
func blocksOf(place uint64) uint64                 { return place >> placeBits }
func packetsOf(place uint64) uint64                { return place & (1<<placeBits - 1) }

// fill reads packets of c into batch until either ends, and returns how many it
// read.
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
