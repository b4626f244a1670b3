package summary

import (
	"encoding/binary"

	"gomapi/internal/pkt"
)

// Types of ICMPv6 (IANA, ICMPv6 Parameters).
const (
	icmp6Unreachable  = 1
	icmp6TooBig       = 2
	icmp6Exceeded     = 3
	icmp6Parameter    = 4
	icmp6Echo         = 128
	icmp6EchoReply    = 129
	icmp6Query        = 130
	icmp6Report       = 131
	icmp6Done         = 132
	icmp6RouterQuery  = 133
	icmp6Router       = 134
	icmp6NeighborAsk  = 135
	icmp6Neighbor     = 136
	icmp6Redirect     = 137
	icmp6ReportV2     = 143
	icmp6TargetOffset = 8
)

// icmp6 prints an ICMPv6 message (RFC 4443, RFC 4861, RFC 3810).
func (l *line) icmp6(p part) {
	switch {
	case p.wire == 0:
		l.add("ICMP6, length 0 (invalid)")
		return
	case len(p.b) == 0:
		l.cut("icmp6")
		return
	}
	l.add("ICMP6, ")
	if !l.icmp6Body(p.b) {
		l.cut("icmp6")
		return
	}
	l.add(", length %", uint32(p.wire))
}

// icmp6Body prints a message of at least one byte. It returns false if the
// message is truncated.
func (l *line) icmp6Body(b []byte) bool {
	kind := b[0]
	if name := icmp6Names[kind]; name != "" {
		l.add(name)
	} else {
		l.add("unknown icmp6 type (%)", uint32(kind))
	}
	if len(b) < 2 {
		return false
	}
	switch code := b[1]; kind {
	case icmp6Unreachable:
		return l.unreachable6(b, code)
	case icmp6TooBig:
		return l.icmp6Number(", mtu %", b)
	case icmp6Exceeded:
		return l.exceeded6(b, code)
	case icmp6Parameter:
		return l.parameter6(b, code)
	case icmp6Echo, icmp6EchoReply:
		return l.identifiers(b)
	case icmp6NeighborAsk:
		return l.target(", who has ", b)
	case icmp6Neighbor:
		return l.target(", tgt is ", b)
	case icmp6Redirect:
		return l.redirect6(b)
	case icmp6ReportV2:
		if len(b) < icmpHead {
			return false
		}
		l.add(", % group record(s)", uint32(binary.BigEndian.Uint16(b[6:])))
	}
	return true
}

var icmp6Names = [256]string{
	icmp6Unreachable: "destination unreachable",
	icmp6TooBig:      "packet too big",
	icmp6Exceeded:    "time exceeded in-transit",
	icmp6Parameter:   "parameter problem",
	icmp6Echo:        "echo request",
	icmp6EchoReply:   "echo reply",
	icmp6Query:       "multicast listener query",
	icmp6Report:      "multicast listener report",
	icmp6Done:        "multicast listener done",
	icmp6RouterQuery: "router solicitation",
	icmp6Router:      "router advertisement",
	icmp6NeighborAsk: "neighbor solicitation",
	icmp6Neighbor:    "neighbor advertisement",
	icmp6Redirect:    "redirect",
	icmp6ReportV2:    "multicast listener report v2",
}

func (l *line) icmp6Number(text string, b []byte) bool {
	if len(b) < icmpHead {
		return false
	}
	l.add(text, binary.BigEndian.Uint32(b[4:]))
	return true
}

// target prints the address of a neighbor.
func (l *line) target(text string, b []byte) bool {
	if len(b) < icmp6TargetOffset+ipv6Address {
		return false
	}
	l.add(text)
	l.address(b[icmp6TargetOffset : icmp6TargetOffset+ipv6Address])
	return true
}

func (l *line) redirect6(b []byte) bool {
	const destination = icmp6TargetOffset + ipv6Address
	if len(b) < destination+ipv6Address {
		return false
	}
	l.add(", ")
	l.address(b[destination : destination+ipv6Address])
	l.add(" to ")
	l.address(b[icmp6TargetOffset:destination])
	return true
}

func (l *line) exceeded6(b []byte, code uint8) bool {
	about := b[min(icmpHead, len(b)):]
	if len(about) < ipv6Len {
		return false
	}
	switch code {
	case 0:
		l.add(" for ")
		l.address(about[24:ipv6Len])
	case 1:
		l.add(" (reassembly)")
	default:
		l.add(", unknown code (%)", uint32(code))
	}
	return true
}

func (l *line) parameter6(b []byte, code uint8) bool {
	if len(b) < icmpHead+ipv6Len {
		return false
	}
	switch code {
	case 0:
		return l.icmp6Number(", erroneous - octet %", b)
	case 1:
		return l.icmp6Number(", next header - octet %", b)
	case 2:
		return l.icmp6Number(", option - octet %", b)
	case 3:
		return l.icmp6Number(", incomplete header chain - octet %", b)
	}
	l.add(", code-#%", uint32(code))
	return true
}

// unreachable6 prints the unreachable destination, which is in the packet that
// caused the message.
func (l *line) unreachable6(b []byte, code uint8) bool {
	if int(code) >= len(unreachable6Words) {
		l.add(", unknown unreach code (%)", uint32(code))
		return true
	}
	about := b[min(icmpHead, len(b)):]
	if code == unreachable6Port {
		return l.unreachablePort6(about)
	}
	l.add(unreachable6Words[code])
	if len(about) < ipv6Len {
		return false
	}
	l.add(" ")
	l.address(about[24:ipv6Len])
	if code == unreachable6Scope {
		l.add(", source address ")
		l.address(about[8:24])
	}
	return true
}

// Codes of unreachable (RFC 4443, section 3.1) with more text than the
// destination.
const (
	unreachable6Scope = 2
	unreachable6Port  = 4
)

var unreachable6Words = [...]string{
	0: ", unreachable route", 1: ", unreachable prohibited", unreachable6Scope: ", beyond scope",
	3: ", unreachable address", unreachable6Port: ", unreachable port",
}

func (l *line) unreachablePort6(about []byte) bool {
	l.add(unreachable6Words[unreachable6Port])
	var h pkt.Headers
	pkt.ParseNet(about, 0, pkt.EtherTypeIPv6, &h)
	if h.Has&pkt.HasPorts == 0 {
		return false
	}
	l.add(", ")
	l.address(about[24:ipv6Len])
	switch h.Proto {
	case pkt.ProtoTCP:
		l.add(" tcp")
	case pkt.ProtoUDP:
		l.add(" udp")
	}
	l.add(" port %", uint32(h.DstPort))
	return true
}
