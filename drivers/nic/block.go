package nic

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Layout of a block: struct tpacket_block_desc with struct tpacket_hdr_v1
// (linux/if_packet.h), all in the host's byte order.
const (
	blockStatus  = 8  // u32: TP_STATUS_USER once user space owns the block
	blockPackets = 12 // u32: number of packets, may be 0
	blockFirst   = 16 // u32: offset of the first packet in the block
	blockNumber  = 24 // u64: increases by one for each block that the kernel opens
	blockHeader  = 48
)

// Layout of a packet in a block: struct tpacket3_hdr, then struct sockaddr_ll.
const (
	packetNext    = 0  // u32: offset of the next packet from this packet
	packetSec     = 4  // u32
	packetNsec    = 8  // u32
	packetCap     = 12 // u32: captured bytes
	packetLen     = 16 // u32: bytes of the original frame
	packetStatus  = 20 // u32: TP_STATUS_ bits
	packetMAC     = 24 // u16: offset of the frame from the start of the packet
	packetNet     = 26 // u16: offset of the data after the link header
	packetTCI     = 32 // u32: VLAN tag control information
	packetTPID    = 36 // u16: VLAN tag type
	packetAddress = 48 // struct sockaddr_ll
	packetHeader  = packetAddress + unix.SizeofSockaddrLinklayer
)

// A cursor walks the packets of one block. It checks the offsets, which come
// from shared memory, so a walk always ends within the block.
type cursor struct {
	rest   []byte // rest of the block, starting with the next packet
	left   uint32 // packets not read yet
	broken uint64 // packets that could not be reached
}

func newCursor(block []byte) cursor {
	c := cursor{left: packetsIn(block)}
	first := binary.NativeEndian.Uint32(block[blockFirst:])
	if first < blockHeader || uint64(first) > uint64(len(block)) {
		c.giveUp()
		return c
	}
	c.rest = block[first:]
	return c
}

// packetsIn returns how many packets the block has so far, limited to what
// fits.
func packetsIn(block []byte) uint32 {
	return min(load32(block[blockPackets:]), uint32(len(block)/packetHeader))
}

// next returns the next packet, starting with its header, or nil at the end.
func (c *cursor) next() []byte {
	if c.left == 0 {
		return nil
	}
	b := c.rest
	if len(b) < packetHeader {
		c.giveUp()
		return nil
	}
	if c.left > 1 {
		step := binary.NativeEndian.Uint32(b[packetNext:])
		if step < packetHeader || uint64(step) > uint64(len(b)) {
			c.giveUp()
			return nil
		}
		c.rest = b[step:]
		b = b[:step]
	}
	c.left--
	return b
}

// giveUp counts the remaining packets as broken.
func (c *cursor) giveUp() {
	c.broken += uint64(c.left)
	c.left = 0
}

// readBlock reads the header of a packet in a block. b has at least
// packetHeader bytes.
func (r *record) readBlock(b []byte) {
	r.bytes = b
	r.address = packetAddress
	r.start = uint32(binary.NativeEndian.Uint16(b[packetMAC:]))
	r.network = uint32(binary.NativeEndian.Uint16(b[packetNet:]))
	r.captured = binary.NativeEndian.Uint32(b[packetCap:])
	r.wire = binary.NativeEndian.Uint32(b[packetLen:])
	r.status = binary.NativeEndian.Uint32(b[packetStatus:])
	r.sec = binary.NativeEndian.Uint32(b[packetSec:])
	r.nsec = binary.NativeEndian.Uint32(b[packetNsec:])
	r.tci = uint16(binary.NativeEndian.Uint32(b[packetTCI:]))
	r.tpid = binary.NativeEndian.Uint16(b[packetTPID:])
}
