package summary

import (
	"encoding/binary"

	"gomapi/internal/pkt"
)

// Types of ICMP (IANA, ICMP Parameters).
const (
	icmpEchoReply   = 0
	icmpUnreachable = 3
	icmpQuench      = 4
	icmpRedirect    = 5
	icmpEcho        = 8
	icmpExceeded    = 11
	icmpParameter   = 12
)

// Codes of unreachable with a special text.
const (
	unreachableProtocol = 2
	unreachablePort     = 3
	unreachableNeedFrag = 4
)

const icmpHead = 8 // including identifier and sequence number, or other fields in their place

// icmp prints an ICMP message (RFC 792).
func (l *line) icmp(p part, fragment bool, depth int) {
	if len(p.b) < 2 {
		l.cut("icmp")
		return
	}
	start := len(l.text)
	l.add("ICMP ")
	kind, code := p.b[0], p.b[1]
	whole := true
	switch kind {
	case icmpEchoReply:
		l.add("echo reply")
		whole = l.identifiers(p.b)
	case icmpEcho:
		l.add("echo request")
		whole = l.identifiers(p.b)
	case icmpUnreachable:
		whole = l.unreachable(p.b, code)
	case icmpRedirect:
		whole = l.redirect(p.b, code)
	case icmpQuench:
		l.add("source quench")
	case icmpExceeded:
		l.exceeded(code)
		whole = len(p.b) >= icmpHead+ipv4Len
	default:
		l.add("type-#%", uint32(kind))
	}
	if !whole {
		l.text = l.text[:start]
		l.cut("icmp")
		return
	}
	l.add(", length %", uint32(p.wire))
	if !l.more {
		return
	}
	if !fragment {
		l.icmpChecksum(p)
	}
	l.about(kind, p, depth)
}

// about prints the packet that caused an error message.
func (l *line) about(kind uint8, p part, depth int) {
	switch kind {
	case icmpUnreachable, icmpQuench, icmpRedirect, icmpExceeded, icmpParameter:
	default:
		return
	}
	b := p.from(icmpHead).b
	if len(b) < ipv4Len || depth >= maxDepth {
		return
	}
	l.add("\n\t")
	link := l.link
	l.link = false
	l.ipv4(part{b, pkt.IPv4(b).TotalLength()}, depth+1)
	l.link = link
}

// identifiers prints the identifiers of an echo of ICMP or ICMPv6. It returns
// false if the message is truncated.
func (l *line) identifiers(b []byte) bool {
	if len(b) < icmpHead {
		return false
	}
	l.add(", id %, seq %", uint32(binary.BigEndian.Uint16(b[4:])), uint32(binary.BigEndian.Uint16(b[6:])))
	return true
}

func (l *line) exceeded(code uint8) {
	switch code {
	case 0:
		l.add("time exceeded in-transit")
	case 1:
		l.add("ip reassembly time exceeded")
	default:
		l.add("time exceeded-#%", uint32(code))
	}
}

// unreachableWords are the words before and after the unreachable address, by
// code (RFC 1812, section 5.2.7.1).
var unreachableWords = [...]struct{ before, behind string }{
	0:  {"net ", " unreachable"},
	1:  {"host ", " unreachable"},
	5:  {"", " unreachable - source route failed"},
	6:  {"net ", " unreachable - unknown"},
	7:  {"host ", " unreachable - unknown"},
	8:  {"", " unreachable - source host isolated"},
	9:  {"net ", " unreachable - admin prohibited"},
	10: {"host ", " unreachable - admin prohibited"},
	11: {"net ", " unreachable - tos prohibited"},
	12: {"host ", " unreachable - tos prohibited"},
	13: {"host ", " unreachable - admin prohibited filter"},
	14: {"host ", " unreachable - host precedence violation"},
	15: {"host ", " unreachable - precedence cutoff"},
}

// unreachable prints the unreachable destination, which is in the packet that
// caused the message.
func (l *line) unreachable(b []byte, code uint8) bool {
	about := b[min(icmpHead, len(b)):]
	if len(about) < ipv4Len {
		return false
	}
	ip := pkt.IPv4(about)
	switch {
	case code == unreachableProtocol:
		l.address(about[16:20])
		l.add(" protocol % unreachable", uint32(ip.Protocol()))
	case code == unreachablePort:
		return l.unreachablePort(ip)
	case code == unreachableNeedFrag:
		l.address(about[16:20])
		l.add(" unreachable - need to frag")
		if mtu := binary.BigEndian.Uint16(b[6:]); mtu != 0 {
			l.add(" (mtu %)", uint32(mtu))
		}
	case int(code) < len(unreachableWords):
		l.add(unreachableWords[code].before)
		l.address(about[16:20])
		l.add(unreachableWords[code].behind)
	default:
		l.address(about[16:20])
		l.add(" unreachable - #%", uint32(code))
	}
	return true
}

func (l *line) unreachablePort(ip pkt.IPv4) bool {
	transport := ip[min(len(ip), ip.HeaderLen()):]
	if len(transport) < 4 {
		return false
	}
	l.address(ip[16:20])
	switch ip.Protocol() {
	case pkt.ProtoTCP:
		l.add(" tcp")
	case pkt.ProtoUDP:
		l.add(" udp")
	default:
		l.add(" protocol %", uint32(ip.Protocol()))
	}
	l.add(" port % unreachable", uint32(binary.BigEndian.Uint16(transport[2:])))
	return true
}

// redirectWords are the words around the addresses, by code.
var redirectWords = [...]struct{ before, between string }{
	{"redirect ", " to net "}, {"redirect ", " to host "}, {"redirect-tos ", " to net "}, {"redirect-tos ", " to host "},
}

// redirect prints the better route to a host or net.
func (l *line) redirect(b []byte, code uint8) bool {
	if len(b) < icmpHead+ipv4Len {
		return false
	}
	between := " to "
	if int(code) < len(redirectWords) {
		l.add(redirectWords[code].before)
		between = redirectWords[code].between
	} else {
		l.add("redirect-#% ", uint32(code))
	}
	l.address(b[icmpHead+16 : icmpHead+20])
	l.add(between)
	l.address(b[4:8])
	return true
}
