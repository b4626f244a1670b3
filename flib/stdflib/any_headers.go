package stdflib

import (
	"encoding/binary"

	"gomapi/flib"
	"gomapi/internal/pkt"
)

// anyHeaders is added to the first argument of HASH and HASHSAMP. They then look behind
// VLAN tags, MPLS labels and PPPoE, at IPv6, and at other link types. Without it they
// read packets as the original does. Programs know it as mapi.AnyHeaders.
const anyHeaders = 1 << 16

// anyLayerBytes is layerBytes with any headers. Only the first fragment has a layer 3.
func anyLayerBytes(p *flib.Packet, layer int32) []byte {
	if layer == 0 {
		return p.Link
	}
	var h pkt.Headers
	pkt.Parse(p.Link, p.LinkType, &h)
	isIP := h.Has&(pkt.HasIPv4|pkt.HasIPv6) != 0
	switch {
	case layer == 1:
		return p.Link[h.Net:]
	case layer == 2 && isIP:
		return p.Link[h.Transport:h.End]
	case layer == 2 && isARP(h.EtherType):
		return between(p.Link, int(h.Net)+8, int(h.End))
	case layer == 3 && h.Has&pkt.HasPayload != 0:
		return p.Link[h.Payload:h.End]
	case layer == 3 && h.Has&pkt.HasTransport != 0 && (h.Proto == pkt.ProtoICMP || h.Proto == pkt.ProtoICMPv6):
		return between(p.Link, int(h.Transport)+8, int(h.End))
	}
	return nil
}

// anySegmentOf is segmentOf with any headers.
func anySegmentOf(p *flib.Packet) (s segment, ok bool) {
	var h pkt.Headers
	pkt.Parse(p.Link, p.LinkType, &h)
	if h.Has&pkt.HasPorts == 0 || h.Proto != pkt.ProtoTCP && h.Proto != pkt.ProtoUDP {
		return segment{}, false
	}
	s.proto, s.data = h.Proto, p.Link[h.Transport:h.End]
	net := p.Link[h.Net:]
	if h.Has&pkt.HasIPv4 != 0 {
		s.src, s.dst = binary.LittleEndian.Uint32(net[12:]), binary.LittleEndian.Uint32(net[16:])
		return s, true
	}
	s.ipv6, s.src, s.dst = true, folded(net[8:]), folded(net[24:])
	return s, true
}

// folded folds the IPv6 address at the start of b into one word.
func folded(b []byte) (word uint32) {
	for i := range 4 {
		word ^= binary.LittleEndian.Uint32(b[4*i:])
	}
	return word
}
