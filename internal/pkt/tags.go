package pkt

import "encoding/binary"

// EtherTypes that Parse knows (IANA, IEEE 802 Numbers).
const (
	EtherTypeIPv4         = 0x0800
	EtherTypeARP          = 0x0806
	EtherTypeVLAN         = 0x8100 // IEEE 802.1Q
	EtherTypeIPv6         = 0x86dd
	EtherTypeMPLS         = 0x8847
	EtherTypeMPLSUpstream = 0x8848 // upstream-assigned labels, formerly multicast
	EtherTypePPPoE        = 0x8864 // session stage
	EtherTypeQinQ         = 0x88a8 // IEEE 802.1ad
	EtherTypeQinQOld      = 0x9100 // stacked tags before 802.1ad
)

const (
	tagLen   = 4
	pppoeLen = 6

	// maxTags is the maximum number of VLAN tags, labels and PPPoE headers of
	// one frame. Deeper headers count as payload of the last EtherType.
	maxTags = 16
)

// tags skips everything between link header and network header.
func (h *Headers) tags(b []byte, etherType uint16, off int) (uint16, int) {
	for range maxTags {
		next, size := uint16(0), 0
		switch etherType {
		case EtherTypeIPv4, EtherTypeIPv6:
			return etherType, off
		case EtherTypeVLAN, EtherTypeQinQ, EtherTypeQinQOld:
			next, size = h.vlan(b[:h.End], off)
		case EtherTypeMPLS, EtherTypeMPLSUpstream:
			next, size = h.mpls(b[:h.End], off, etherType)
		case EtherTypePPPoE:
			next, size = h.pppoe(b[:h.End], off)
		}
		if size == 0 {
			return etherType, off
		}
		etherType, off = next, off+size
	}
	return etherType, off
}

// vlan reads one tag: TCI and EtherType or length. Size 0 means that it is
// truncated.
func (h *Headers) vlan(b []byte, off int) (etherType uint16, size int) {
	if len(b)-off < tagLen {
		return 0, 0
	}
	if h.VLANs < MaxTCI {
		h.TCI[h.VLANs] = binary.BigEndian.Uint16(b[off:])
	}
	h.VLANs++
	etherType, next := h.typeOrLength(b, binary.BigEndian.Uint16(b[off+2:]), off+tagLen)
	return etherType, next - off
}

// mpls reads one entry of the label stack (RFC 3032, section 2.1). No field
// identifies the data after the bottom entry; the first nibble distinguishes IP
// from other data (RFC 4928, section 3).
func (h *Headers) mpls(b []byte, off int, etherType uint16) (uint16, int) {
	if len(b)-off < tagLen {
		return 0, 0
	}
	entry := binary.BigEndian.Uint32(b[off:])
	if h.Labels == 0 {
		h.Label = entry >> 12
	}
	h.Labels++
	if entry&0x100 != 0 {
		etherType = ipVersion(b, off+tagLen)
	}
	return etherType, tagLen
}

// pppoe reads a session header, whose length limits the frame (RFC 2516,
// section 4), and the PPP protocol.
func (h *Headers) pppoe(b []byte, off int) (etherType uint16, size int) {
	if len(b)-off < pppoeLen || b[off] != 0x11 || b[off+1] != 0 {
		return 0, 0
	}
	length := binary.BigEndian.Uint16(b[off+4:])
	h.End = min(h.End, uint32(off)+pppoeLen+uint32(length))
	etherType, next := ppp(b[:h.End], off+pppoeLen)
	return etherType, next - off
}
