package tracegen

import "encoding/binary"

// sum adds b to a sum of 16-bit words (RFC 1071), 32 bits at a time.
func sum(s uint64, b []byte) uint64 {
	for len(b) >= 4 {
		s += uint64(binary.BigEndian.Uint32(b))
		b = b[4:]
	}
	if len(b) >= 2 {
		s += uint64(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		s += uint64(b[0]) << 8
	}
	return s
}

// fold reduces a sum to 16 bits with end-around carry.
func fold(s uint64) uint16 {
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

// segmentSum returns the checksum of a segment whose checksum field is 0. It
// includes the pseudo-header, except for ICMP over IPv4.
func segmentSum(seg []byte, c *conversation) uint16 {
	s := uint64(0)
	if c.proto != protoICMP {
		s = uint64(len(seg)) + uint64(c.proto)
		s = sum(s, c.ends[client].ip[:])
		s = sum(s, c.ends[server].ip[:])
	}
	v := ^fold(sum(s, seg))
	if v == 0 && c.proto == protoUDP {
		return 0xffff // 0 would mean that there is no checksum (RFC 768)
	}
	return v
}
