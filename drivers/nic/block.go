package nic

import (
	"encoding/binary"
	"math"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/pkt"
)

// Layout of a block: struct tpacket_block_desc with struct tpacket_hdr_v1
// (linux/if_packet.h), all in the host's byte order.
const (
	blockStatus  = 8  // u32: TP_STATUS_USER once it is ours
	blockPackets = 12 // u32: number of packets, 0 is possible
	blockFirst   = 16 // u32: offset of the first packet in the block
	blockHeader  = 48
)

// Layout of a packet in a block: struct tpacket3_hdr, then struct sockaddr_ll.
const (
	packetNext   = 0  // u32: offset of the next packet from this one
	packetSec    = 4  // u32
	packetNsec   = 8  // u32
	packetCap    = 12 // u32: bytes of the frame that are here
	packetLen    = 16 // u32: bytes that it had
	packetStatus = 20 // u32: TP_STATUS_ bits
	packetMAC    = 24 // u16: offset of the frame from the packet's start
	packetTCI    = 32 // u32: VLAN tag control information
	packetTPID   = 36 // u16: VLAN tag type
	packetType   = 48 + 10
	packetHeader = 48 + 20
)

// A cursor walks the packets of one block. The offsets come from shared memory
// and are checked: a walk always ends, within the block.
type cursor struct {
	rest []byte // of the block, from the next packet on
	left uint32 // packets not seen yet

	truncated uint64 // packets with bytes missing
	broken    uint64 // packets that could not be read
}

func newCursor(block []byte) cursor {
	most := uint32(len(block) / packetHeader)
	c := cursor{left: min(binary.NativeEndian.Uint32(block[blockPackets:]), most)}
	first := binary.NativeEndian.Uint32(block[blockFirst:])
	if first < blockHeader || uint64(first) > uint64(len(block)) {
		c.giveUp()
		return c
	}
	c.rest = block[first:]
	return c
}

// next returns the record of the next packet, nil at the end.
func (c *cursor) next() []byte {
	if c.left == 0 {
		return nil
	}
	rec := c.rest
	if len(rec) < packetHeader {
		c.giveUp()
		return nil
	}
	if c.left > 1 {
		step := binary.NativeEndian.Uint32(rec[packetNext:])
		if step < packetHeader || uint64(step) > uint64(len(rec)) {
			c.giveUp()
			return nil
		}
		c.rest = rec[step:]
		rec = rec[:step]
	}
	c.left--
	return rec
}

// giveUp counts what is left as broken.
func (c *cursor) giveUp() {
	c.broken += uint64(c.left)
	c.left = 0
}

// A view says how packets are to be seen.
type view struct {
	snap     uint32
	linkType uint16
	strip    bool // leave the VLAN tag off
}

// fill reads packets of c into batch until either ends and returns how many.
func (v *view) fill(c *cursor, batch []drivers.Packet) int {
	n := 0
	for n < len(batch) {
		rec := c.next()
		if rec == nil {
			break
		}
		if !v.packet(rec, &batch[n]) {
			c.broken++
			continue
		}
		if batch[n].Flags&pkt.Truncated != 0 {
			c.truncated++
		}
		n++
	}
	return n
}

// packet makes p a view of the record, which is packetHeader bytes at least. It
// reports whether the record's lengths hold.
func (v *view) packet(rec []byte, p *drivers.Packet) bool {
	start := uint32(binary.NativeEndian.Uint16(rec[packetMAC:]))
	captured := binary.NativeEndian.Uint32(rec[packetCap:])
	wire := binary.NativeEndian.Uint32(rec[packetLen:])
	end := uint64(start) + uint64(captured)
	if start < packetHeader+tagBytes || end > uint64(len(rec)) || captured > wire || wire > math.MaxInt32 {
		return false
	}
	status := binary.NativeEndian.Uint32(rec[packetStatus:])
	flags := packetFlags(status, rec[packetType])
	if status&unix.TP_STATUS_VLAN_VALID != 0 && !v.strip {
		restoreTag(rec, start, status)
		start -= tagBytes
		captured += tagBytes
		wire += tagBytes
		flags |= pkt.VLANRestored
	}
	captured = min(captured, v.snap)
	if captured < wire {
		flags |= pkt.Truncated
	}
	// Field by field: a whole Packet would be built beside p and copied. The
	// other fields stay zero.
	p.TS = pkt.TS(uint64(binary.NativeEndian.Uint32(rec[packetSec:])),
		uint64(binary.NativeEndian.Uint32(rec[packetNsec:])))
	p.Link = rec[start : start+captured : start+captured]
	p.Wire = wire
	p.LinkType = v.linkType
	p.Flags = flags
	return true
}

func packetFlags(status uint32, pkttype byte) (f pkt.Flags) {
	if pkttype == unix.PACKET_OUTGOING {
		f |= pkt.Outgoing
	}
	if status&unix.TP_STATUS_CSUMNOTREADY != 0 {
		f |= pkt.CsumNotReady
	}
	return f
}
