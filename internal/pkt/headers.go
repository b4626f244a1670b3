package pkt

// Has is the set of headers that Parse found in a frame.
type Has uint8

const (
	HasIPv4       Has = 1 << iota // Net is an IPv4 header, its first 20 bytes captured
	HasIPv6                       // Net is an IPv6 header, its 40 bytes captured
	HasFragment                   // fragment of a packet: FragID and FragOffset are valid
	MoreFragments                 // a fragment, and not the last one
	HasTransport                  // the header of Proto starts at Transport
	HasPorts                      // SrcPort and DstPort are valid
	HasTCP                        // the first 20 bytes of a TCP header are captured: TCPFlags is valid
	HasPayload                    // Payload follows a whole header of TCP, UDP, UDP-Lite, SCTP or DCCP
)

// MaxTCI is the maximum number of VLAN tags in a Headers.
const MaxTCI = 4

// Headers has the positions of the headers of one frame, and the values of
// frequently used fields. Offsets count bytes from the start of Packet.Link,
// and always
//
//	Net <= Transport <= Payload <= End <= len(Link)
//
// so that slicing Link with them cannot fail, whatever the frame contains.
// Parse reads the outermost IP header only; ParseNet continues into tunnels. A
// Headers has no references to the packet's memory.
type Headers struct {
	Has        Has
	Proto      uint8          // IP protocol number of the header at Transport
	TCPFlags   uint8          // CWR ECE URG ACK PSH RST SYN FIN, as in RFC 9293
	VLANs      uint8          // 802.1Q and 802.1ad tags
	Labels     uint8          // entries of the MPLS stack
	EtherType  uint16         // of the header at Net; 0 if no header states it
	TCI        [MaxTCI]uint16 // the first VLAN tags, outermost first; see VLANID
	SrcPort    uint16
	DstPort    uint16
	FragOffset uint16 // of the fragment in its packet, bytes
	FragID     uint32
	Label      uint32 // outermost MPLS label, 20 bits

	Net       uint32 // network header, or the data after the known link headers
	Transport uint32 // data after the IP header and its extensions
	Payload   uint32 // data after the transport header; equals Transport if its length is unknown
	End       uint32 // end of the payload: within the captured bytes and within every length in the headers
	WireEnd   uint32 // End according to the headers, possibly beyond the captured bytes; may exceed Packet.Wire
}

// Parse finds the headers of a frame. linkType is the DLT number of link; if it
// is unknown, the whole frame is payload. Parse does not allocate, keeps no
// references, and stops where a header is truncated or inconsistent. Any
// goroutine may call it.
//
// A length field of 0 in an IP header, which segmentation offload and
// jumbograms produce, means all captured bytes.
func Parse(link []byte, linkType uint16, h *Headers) {
	*h = Headers{End: uint32(len(link))}
	etherType, off := h.link(link, linkType)
	etherType, off = h.tags(link, etherType, off)
	h.network(link, etherType, off)
}

// ParseNet finds the headers that start with a network header of the given
// EtherType at link[off:]. A function that decodes tunnels calls it with an
// inner packet: link truncated at the outer End, off the outer Payload. If off
// is outside link, it finds nothing.
func ParseNet(link []byte, off int, etherType uint16, h *Headers) {
	*h = Headers{End: uint32(len(link))}
	if off < 0 || off > len(link) {
		off, etherType = len(link), 0
	}
	h.network(link, etherType, off)
}

// VLANID returns the VLAN identifier of a tag, 12 bits (IEEE 802.1Q, 9.6).
func VLANID(tci uint16) uint16 { return tci & 0x0fff }

// IPv4 returns the packet from its IPv4 header to End, nil without HasIPv4.
// link must be the argument of Parse; the view aliases it.
func (h *Headers) IPv4(link []byte) IPv4 {
	if h.Has&HasIPv4 == 0 {
		return nil
	}
	return IPv4(link[h.Net:h.End])
}

// IPv6 returns the packet from its IPv6 header to End, nil without HasIPv6.
// link must be the argument of Parse; the view aliases it.
func (h *Headers) IPv6(link []byte) IPv6 {
	if h.Has&HasIPv6 == 0 {
		return nil
	}
	return IPv6(link[h.Net:h.End])
}

// TCP returns the segment from its header to End, nil without HasTCP. link must
// be the argument of Parse; the view aliases it.
func (h *Headers) TCP(link []byte) TCP {
	if h.Has&HasTCP == 0 {
		return nil
	}
	return TCP(link[h.Transport:h.End])
}

// UDP returns the datagram from its header to End, nil without a whole UDP
// header. link must be the argument of Parse; the view aliases it.
func (h *Headers) UDP(link []byte) UDP {
	if h.Proto != ProtoUDP || h.Has&HasPayload == 0 {
		return nil
	}
	return UDP(link[h.Transport:h.End])
}
