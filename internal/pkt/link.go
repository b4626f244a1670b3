package pkt

import "encoding/binary"

// Link types that Parse knows (pcap-linktype(7)).
const (
	DLTNull      = 0   // BSD loopback, address family in the writer's byte order
	DLTEthernet  = 1   // Ethernet, DLT_EN10MB
	DLTPPP       = 9   // PPP, with or without address and control field
	DLTRaw       = 12  // IPv4 or IPv6 without link header
	DLTPPPSerial = 50  // PPP or Cisco HDLC, depending on the address field
	DLTRawFile   = 101 // DLTRaw as numbered in capture files
	DLTCHDLC     = 104 // Cisco HDLC
	DLTLoop      = 108 // OpenBSD loopback, address family in network order
	DLTLinuxSLL  = 113 // Linux cooked capture, version 1
	DLTIPv4      = 228 // IPv4 without link header
	DLTIPv6      = 229 // IPv6 without link header
	DLTLinuxSLL2 = 276 // Linux cooked capture, version 2
)

const (
	ethernetLen = 14
	sllLen      = 16
	sll2Len     = 20
	chdlcLen    = 4
	familyLen   = 4
	llcSNAPLen  = 8

	maxLength8023  = 1500 // up to this value it is a length, not an EtherType
	sllProtocolLLC = 4    // LINUX_SLL_P_802_2: an 802.2 header follows
)

// link reads the link header and returns the EtherType and offset of the data
// after it; 0, 0 if they are unknown.
func (h *Headers) link(b []byte, linkType uint16) (etherType uint16, off int) {
	switch linkType {
	case DLTEthernet:
		if len(b) >= ethernetLen {
			return h.typeOrLength(b, binary.BigEndian.Uint16(b[12:]), ethernetLen)
		}
	case DLTLinuxSLL:
		if len(b) >= sllLen {
			return cooked(b, binary.BigEndian.Uint16(b[14:]), sllLen)
		}
	case DLTLinuxSLL2:
		if len(b) >= sll2Len {
			return cooked(b, binary.BigEndian.Uint16(b), sll2Len)
		}
	case DLTRaw, DLTRawFile:
		return ipVersion(b, 0), 0
	case DLTIPv4:
		return EtherTypeIPv4, 0
	case DLTIPv6:
		return EtherTypeIPv6, 0
	case DLTNull, DLTLoop:
		return loopback(b)
	case DLTPPP, DLTPPPSerial, DLTCHDLC:
		return serial(b, linkType)
	}
	return 0, 0
}

// typeOrLength distinguishes an EtherType from the length field of IEEE 802.3,
// which limits the frame and precedes an 802.2 header.
func (h *Headers) typeOrLength(b []byte, v uint16, off int) (uint16, int) {
	if v > maxLength8023 {
		return v, off
	}
	h.End = min(h.End, uint32(off)+uint32(v))
	return llc(b[:h.End], off)
}

// llc looks for an EtherType in an 802.2 SNAP header (RFC 1042), including the
// bridging OUI of IEEE 802.1H.
func llc(b []byte, off int) (uint16, int) {
	if len(b)-off < llcSNAPLen || b[off] != 0xaa || b[off+1] != 0xaa || b[off+2] != 3 {
		return 0, off
	}
	if b[off+3] != 0 || b[off+4] != 0 || b[off+5] != 0 && b[off+5] != 0xf8 {
		return 0, off
	}
	return binary.BigEndian.Uint16(b[off+6:]), off + llcSNAPLen
}

// cooked maps the protocol field of a Linux cooked header. Small numbers are
// kinds of frames, not EtherTypes.
func cooked(b []byte, protocol uint16, off int) (uint16, int) {
	switch {
	case protocol > maxLength8023:
		return protocol, off
	case protocol == sllProtocolLLC:
		return llc(b, off)
	}
	return 0, off
}

// loopback maps the address family of a BSD loopback header. Each BSD has its
// own number for IPv6. The byte order is that of the machine that wrote the
// capture; a family below 65536 is recognized in both orders.
func loopback(b []byte) (uint16, int) {
	if len(b) < familyLen {
		return 0, 0
	}
	family := binary.BigEndian.Uint32(b)
	if family > 0xffff {
		family = binary.LittleEndian.Uint32(b)
	}
	switch family {
	case 2:
		return EtherTypeIPv4, familyLen
	case 10, 24, 28, 30: // Linux; NetBSD and OpenBSD; FreeBSD; macOS
		return EtherTypeIPv6, familyLen
	}
	return 0, familyLen
}

// serial reads the header of a PPP or Cisco HDLC frame (RFC 1662, RFC 1547).
func serial(b []byte, linkType uint16) (uint16, int) {
	cisco := linkType == DLTCHDLC ||
		linkType == DLTPPPSerial && len(b) > 0 && (b[0] == 0x0f || b[0] == 0x8f)
	if !cisco {
		return ppp(b, 0)
	}
	if len(b) < chdlcLen {
		return 0, 0
	}
	return binary.BigEndian.Uint16(b[2:]), chdlcLen
}

// ppp reads the PPP header at b[off:] and returns the EtherType that
// corresponds to its protocol, 0 if there is none. Address and control field
// and the upper byte of the protocol may be missing (RFC 1661, section 6).
func ppp(b []byte, off int) (uint16, int) {
	p := off
	if len(b)-p >= 2 && b[p] == 0xff && b[p+1] == 0x03 {
		p += 2
	}
	if len(b)-p < 2 {
		return 0, off
	}
	protocol := uint16(b[p])
	p++
	if protocol&1 == 0 {
		protocol = protocol<<8 | uint16(b[p])
		p++
	}
	switch protocol {
	case 0x0021:
		return EtherTypeIPv4, p
	case 0x0057:
		return EtherTypeIPv6, p
	case 0x0281:
		return EtherTypeMPLS, p
	case 0x0283:
		return EtherTypeMPLSUpstream, p
	}
	return 0, p
}

// ipVersion returns the EtherType of the IP version at b[off:].
func ipVersion(b []byte, off int) uint16 {
	if off < len(b) {
		switch b[off] >> 4 {
		case 4:
			return EtherTypeIPv4
		case 6:
			return EtherTypeIPv6
		}
	}
	return 0
}
