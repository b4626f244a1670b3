package pkt

import "encoding/binary"

// IP protocol and next header numbers that Parse knows (IANA).
const (
	ProtoHopByHop = 0
	ProtoICMP     = 1
	ProtoTCP      = 6
	ProtoUDP      = 17
	ProtoDCCP     = 33
	ProtoRouting  = 43
	ProtoFragment = 44
	ProtoESP      = 50
	ProtoAH       = 51
	ProtoICMPv6   = 58
	ProtoNone     = 59 // no next header
	ProtoDestOpts = 60
	ProtoSCTP     = 132
	ProtoMobility = 135
	ProtoUDPLite  = 136
	ProtoHIP      = 139
	ProtoShim6    = 140
)

const (
	ipv4Len = 20 // without options
	ipv6Len = 40 // without extension headers
	extLen  = 8  // smallest extension header
)

// network reads the network header at b[off:] and the headers after it.
func (h *Headers) network(b []byte, etherType uint16, off int) {
	h.EtherType = etherType
	h.Net, h.Transport, h.Payload = uint32(off), uint32(off), uint32(off)
	h.WireEnd = h.End
	b = b[:h.End]
	switch etherType {
	case EtherTypeIPv4:
		h.ipv4(b, off)
	case EtherTypeIPv6:
		h.ipv6(b, off)
	}
}

// ipv4 reads an IPv4 header (RFC 791, section 3.1). A header with lengths that
// a receiver would reject does not count.
func (h *Headers) ipv4(b []byte, off int) {
	if len(b)-off < ipv4Len {
		return
	}
	ip := IPv4(b[off:])
	size, total := ip.HeaderLen(), ip.TotalLength()
	if ip.Version() != 4 || size < ipv4Len || total != 0 && total < size {
		return
	}
	h.Has |= HasIPv4
	h.Proto = ip.Protocol()
	if total != 0 {
		h.limit(off + total)
	}
	h.Transport = min(uint32(off+size), h.End)
	h.Payload = h.Transport
	if field := ip.fragment(); field&0x3fff != 0 {
		h.fragment(field&0x1fff<<3, field&0x2000 != 0, uint32(ip.ID()))
	}
	if off+size > int(h.End) || h.FragOffset != 0 {
		return
	}
	b = b[:h.End]
	next := off + size
	if h.Proto == ProtoAH {
		next = h.authentication(b, next)
	}
	h.transport(b, next)
}

// authentication skips an authentication header, because the data after it is
// readable, unless the header is truncated.
func (h *Headers) authentication(b []byte, off int) int {
	ext := b[off:]
	if len(ext) < extLen {
		return off
	}
	size := extensionLen(ext, ProtoAH)
	if size > len(ext) {
		return off
	}
	h.Proto = ext[0]
	return off + size
}

// ipv6 reads an IPv6 header (RFC 8200, section 3).
func (h *Headers) ipv6(b []byte, off int) {
	if len(b)-off < ipv6Len || b[off]>>4 != 6 {
		return
	}
	ip := IPv6(b[off:])
	h.Has |= HasIPv6
	h.Proto = ip.NextHeader()
	if length := ip.PayloadLength(); length != 0 || h.Proto == ProtoNone {
		h.limit(off + ipv6Len + length)
	}
	b = b[:h.End]
	next, whole := h.extensions(b, off+ipv6Len)
	h.Transport, h.Payload = uint32(next), uint32(next)
	if whole && h.FragOffset == 0 {
		h.transport(b, next)
	}
}

// extensions walks the extension headers at b[off:], sets Proto to the protocol
// after them and returns its offset; it returns false if a header is truncated.
// Every step takes at least eight bytes of b, which bounds the walk. The data
// of a later fragment has no header.
func (h *Headers) extensions(b []byte, off int) (int, bool) {
	for isExtension(h.Proto) {
		if len(b)-off < extLen {
			return off, false
		}
		ext := b[off:]
		size := extensionLen(ext, h.Proto)
		if size > len(ext) {
			return off, false
		}
		if h.Proto == ProtoFragment {
			field := binary.BigEndian.Uint16(ext[2:])
			h.fragment(field&^7, field&1 != 0, binary.BigEndian.Uint32(ext[4:]))
		}
		h.Proto = ext[0]
		off += size
		if h.FragOffset != 0 {
			return off, true
		}
	}
	return off, true
}

// isExtension reports whether next is an IPv6 extension header with a readable
// next header field (RFC 7045, section 4).
func isExtension(next uint8) bool {
	switch next {
	case ProtoHopByHop, ProtoRouting, ProtoFragment, ProtoAH, ProtoDestOpts,
		ProtoMobility, ProtoHIP, ProtoShim6:
		return true
	}
	return false
}

// extensionLen returns the length of an extension header. At least two of its
// bytes are captured.
func extensionLen(ext []byte, proto uint8) int {
	switch proto {
	case ProtoFragment:
		return 8
	case ProtoAH:
		return 4 * (int(ext[1]) + 2) // RFC 4302, section 2.2
	}
	return 8 * (int(ext[1]) + 1)
}

// fragment stores that the packet is a fragment. A whole packet may also have a
// fragment header (RFC 6946); it does not count as a fragment.
func (h *Headers) fragment(offset uint16, more bool, id uint32) {
	if offset == 0 && !more {
		return
	}
	h.Has |= HasFragment
	if more {
		h.Has |= MoreFragments
	}
	h.FragOffset, h.FragID = offset, id
}

// limit ends the payload at the end given by a header.
func (h *Headers) limit(end int) {
	h.WireEnd = uint32(end)
	h.End = min(h.End, uint32(end))
}
