package pkt

import "encoding/binary"

const (
	portsLen = 4
	tcpLen   = 20 // without options
	udpLen   = 8
	sctpLen  = 12 // common header
	dccpLen  = 12 // with short sequence numbers
)

// transport reads the header of Proto at b[off:]; b ends at End.
func (h *Headers) transport(b []byte, off int) {
	h.Has |= HasTransport
	h.Transport, h.Payload = uint32(off), uint32(off)
	seg := b[off:]
	switch h.Proto {
	case ProtoTCP:
		h.ports(seg)
		h.tcp(seg)
	case ProtoUDP:
		h.ports(seg)
		h.udp(seg)
	case ProtoUDPLite: // its length field is the checksum coverage
		h.ports(seg)
		h.payload(len(seg), udpLen, udpLen)
	case ProtoSCTP:
		h.ports(seg)
		h.payload(len(seg), sctpLen, sctpLen)
	case ProtoDCCP:
		h.ports(seg)
		h.dccp(seg)
	}
}

// ports reads the port numbers, which these protocols have at the same offset.
func (h *Headers) ports(seg []byte) {
	if len(seg) < portsLen {
		return
	}
	h.Has |= HasPorts
	h.SrcPort = binary.BigEndian.Uint16(seg)
	h.DstPort = binary.BigEndian.Uint16(seg[2:])
}

// tcp reads a TCP header (RFC 9293, section 3.1).
func (h *Headers) tcp(seg []byte) {
	size := 0
	if len(seg) >= tcpLen {
		tcp := TCP(seg)
		h.Has |= HasTCP
		h.TCPFlags = tcp.Flags()
		size = tcp.HeaderLen()
	}
	h.payload(len(seg), size, tcpLen)
}

// udp reads a UDP header (RFC 768). Its length may end the payload before the
// end of the IP packet; offload and jumbograms have a length of 0.
func (h *Headers) udp(seg []byte) {
	size := udpLen
	if len(seg) >= udpLen {
		switch length := uint32(UDP(seg).Length()); {
		case length >= udpLen:
			h.WireEnd = min(h.WireEnd, h.Transport+length)
			h.End = min(h.End, h.Transport+length)
		case length != 0:
			size = 0
		}
	}
	h.payload(len(seg), size, udpLen)
}

// dccp reads the data offset of a DCCP header (RFC 4340, section 5.1).
func (h *Headers) dccp(seg []byte) {
	size := 0
	if len(seg) > portsLen {
		size = 4 * int(seg[portsLen])
	}
	h.payload(len(seg), size, dccpLen)
}

// payload sets the start of the payload: size bytes into the captured bytes, or
// End if the header is truncated or shorter than least.
func (h *Headers) payload(captured, size, least int) {
	if size < least || size > captured {
		h.Payload = h.End
		return
	}
	h.Has |= HasPayload
	h.Payload = h.Transport + uint32(size)
}
