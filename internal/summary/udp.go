package summary

import "gomapi/internal/pkt"

const udpLen = 8

// udp prints a UDP datagram (RFC 768). For a fragment it prints the length of
// the whole datagram.
func (l *line) udp(p part, e pair, fragment bool) {
	if len(p.b) < 4 {
		if !e.said {
			l.hosts(e)
		}
		l.cut("udp")
		return
	}
	d := pkt.UDP(p.b)
	l.ports(e, d.SrcPort(), d.DstPort())
	if p.wire < udpLen {
		l.add("truncated-udp %", uint32(p.wire))
		return
	}
	if len(p.b) < 6 {
		l.cut("udp")
		return
	}
	length := int(d.Length())
	if length == 0 && p.wire > 1<<16-1 {
		length = p.wire // a jumbogram (RFC 2675, section 4)
	}
	switch {
	case length < udpLen:
		l.add("truncated-udplength %", uint32(length))
	case len(p.b) < udpLen:
		l.cut("udp")
	default:
		if l.more && !fragment {
			l.udpChecksum(p, e)
		}
		l.datagram(d, p.from(udpLen), length-udpLen, fragment)
	}
}

// datagram prints the payload of a UDP datagram, whose stated length is length.
func (l *line) datagram(d pkt.UDP, p part, length int, fragment bool) {
	dns, multicast := isDNS(d.SrcPort(), d.DstPort())
	if dns || multicast {
		p.wire = min(p.wire, length)
		l.dns(p, !dns)
		return
	}
	if length > p.wire && !fragment {
		l.add("UDP, bad length % > %", uint32(length), uint32(p.wire))
		return
	}
	l.add("UDP, length %", uint32(length))
}
