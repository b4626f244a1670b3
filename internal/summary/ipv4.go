package summary

import (
	"encoding/binary"

	"gomapi/internal/pkt"
)

const (
	ipv4Len = 20 // without options

	protoIPv4 = 4  // RFC 2003
	protoIPv6 = 41 // RFC 2473

	// maxDepth is the maximum depth of IP in IP.
	maxDepth = 8
)

// ipv4 prints an IPv4 packet (RFC 791, section 3.1).
func (l *line) ipv4(p part, depth int) {
	if !l.ipv4Begins(p) {
		return
	}
	ip := pkt.IPv4(p.b)
	head, total := ip.HeaderLen(), ip.TotalLength()
	if total == 0 {
		total = p.wire // empty due to segmentation offload
	}
	if total > p.wire {
		l.add("truncated-ip - % bytes missing! ", uint32(total-p.wire))
	}
	switch {
	case total < head:
		l.add("bad-len %", uint32(total))
		return
	case head > len(p.b):
		l.cut("ip")
		return
	}
	if l.more {
		l.header4(p.b, head)
	}
	e := pair{src: p.b[12:16], dst: p.b[16:20]}
	fragment := binary.BigEndian.Uint16(p.b[6:])
	if fragment&0x1fff != 0 {
		l.hosts(e)
		l.add("ip-proto-%", uint32(ip.Protocol()))
		return
	}
	l.inner(p.first(total).from(head), ip.Protocol(), e, fragment&0x2000 != 0, depth)
}

// ipv4Begins checks for an IPv4 header without options. It returns false, and
// ends the line, if there is none.
func (l *line) ipv4Begins(p part) bool {
	if len(p.b) == 0 {
		l.cut("ip")
		return false
	}
	if version := p.b[0] >> 4; version != 4 {
		l.add("IP%", uint32(version))
		if version == 6 {
			l.add(", wrong link-layer encapsulation")
		}
		l.add(" (invalid)")
		return false
	}
	l.protocolName("IP ")
	if len(p.b) < ipv4Len {
		l.cut("ip")
		return false
	}
	if head := pkt.IPv4(p.b).HeaderLen(); head < ipv4Len {
		l.add("bad-hlen %", uint32(head))
		return false
	}
	return true
}

// inner prints the payload of an IP packet or of its first fragment.
func (l *line) inner(p part, proto uint8, e pair, fragment bool, depth int) {
	switch proto {
	case pkt.ProtoTCP:
		l.tcp(p, e, fragment)
		return
	case pkt.ProtoUDP:
		l.udp(p, e, fragment)
		return
	}
	if !e.said {
		l.hosts(e)
	}
	switch {
	case proto == pkt.ProtoICMP && len(e.src) == ipv4Address:
		l.icmp(p, fragment, depth)
	case proto == pkt.ProtoICMPv6 && len(e.src) == ipv6Address:
		l.icmp6(p)
	case proto == protoIPv4 && depth < maxDepth:
		l.ipv4(p, depth+1)
	case proto == protoIPv6 && depth < maxDepth:
		l.ipv6(p, depth+1)
	default:
		l.add("ip-proto-%, length %", uint32(proto), uint32(p.wire))
	}
}
