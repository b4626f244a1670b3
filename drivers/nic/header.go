package nic

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// A header is the kind of link header of a packet.
type header int

const (
	asIs     header = iota // unchanged: the header of the interface, or none
	ethernet               // Ethernet, from which the kernel strips a VLAN tag
	cooked                 // Linux cooked, which this package writes
	cooked2                // Linux cooked version 2, which includes the interface
)

// Sizes in bytes.
const (
	tagBytes      = 4  // of a VLAN tag
	addresses     = 12 // of the two Ethernet addresses before a tag
	ethernetBytes = 14
	cookedBytes   = 16
	cooked2Bytes  = 20
)

// room returns how many bytes to reserve before each frame, so that the header
// can be written without a copy.
func (h header) room() uint32 {
	switch h {
	case cooked, cooked2:
		return cooked2Bytes + tagBytes
	}
	return tagBytes
}

// payload returns the offset of the data after the link header. If a frame has
// several tags, the next tag follows the Ethernet header directly; the kernel's
// offset may be after all tags.
func (r *record) payload() uint32 {
	switch binary.NativeEndian.Uint16(r.bytes[r.address+addressHardware:]) {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		if r.network > r.start { // the header is present
			return r.start + ethernetBytes
		}
	}
	return max(r.network, r.start)
}

// complete writes the header of r up to body, with its VLAN tag if tagged, and
// returns the new start of the frame.
func (h header) complete(r *record, body uint32, tagged bool) uint32 {
	tpid := uint16(unix.ETH_P_8021Q)
	if r.status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
		tpid = r.tpid
	}
	if h == ethernet {
		body -= tagBytes
		restoreTag(r.bytes[body:], tpid, r.tci)
		return body
	}
	address := r.bytes[r.address : r.address+unix.SizeofSockaddrLinklayer]
	protocol := binary.BigEndian.Uint16(address[addressProtocol:])
	if tagged {
		body -= tagBytes
		binary.BigEndian.PutUint16(r.bytes[body:], r.tci)
		binary.BigEndian.PutUint16(r.bytes[body+2:], protocol)
		protocol = tpid
	}
	if h == cooked {
		body -= cookedBytes
		cook(r.bytes[body:], address, protocol)
	} else {
		body -= cooked2Bytes
		cook2(r.bytes[body:], address, protocol)
	}
	return body
}

// restoreTag inserts a tag before the EtherType of frame, which starts with
// room for it: the addresses move forward. For a frame shorter than its
// addresses it only uses up the room.
func restoreTag(frame []byte, tpid, tci uint16) {
	if len(frame) < addresses+tagBytes {
		return
	}
	copy(frame[:addresses], frame[tagBytes:])
	binary.BigEndian.PutUint16(frame[addresses:], tpid)
	binary.BigEndian.PutUint16(frame[addresses+2:], tci)
}

// Layout of struct sockaddr_ll (packet(7)). All fields except the protocol are
// in the host's byte order.
const (
	addressProtocol = 2  // u16, network order
	addressIndex    = 4  // i32: interface
	addressHardware = 8  // u16: ARPHRD number
	addressType     = 10 // u8: PACKET_HOST, PACKET_OUTGOING, ...
	addressLength   = 11 // u8: of the hardware address
	addressBytes    = 12 // 8 bytes: hardware address
)

// cook writes the header of LINKTYPE_LINUX_SLL (tcpdump.org/linktypes) to b.
// Its packet types have the kernel's numbers.
func cook(b, address []byte, protocol uint16) {
	b = b[:cookedBytes]
	binary.BigEndian.PutUint16(b[0:], uint16(address[addressType]))
	binary.BigEndian.PutUint16(b[2:], binary.NativeEndian.Uint16(address[addressHardware:]))
	binary.BigEndian.PutUint16(b[4:], uint16(address[addressLength]))
	copy(b[6:14], address[addressBytes:])
	binary.BigEndian.PutUint16(b[14:], protocol)
}

// cook2 writes the header of LINKTYPE_LINUX_SLL2.
func cook2(b, address []byte, protocol uint16) {
	b = b[:cooked2Bytes]
	binary.BigEndian.PutUint16(b[0:], protocol)
	binary.BigEndian.PutUint16(b[2:], 0)
	binary.BigEndian.PutUint32(b[4:], binary.NativeEndian.Uint32(address[addressIndex:]))
	binary.BigEndian.PutUint16(b[8:], binary.NativeEndian.Uint16(address[addressHardware:]))
	b[10] = address[addressType]
	b[11] = address[addressLength]
	copy(b[12:20], address[addressBytes:])
}
