package summary

import (
	"encoding/binary"

	"gomapi/internal/pkt"
)

const tcpLen = 20 // without options

// tcpFlags are the letters of the flags, in output order.
var tcpFlags = [...]struct {
	bit    uint8
	letter string
}{
	{pkt.TCPFin, "F"}, {pkt.TCPSyn, "S"}, {pkt.TCPRst, "R"}, {pkt.TCPPsh, "P"},
	{pkt.TCPAck, "."}, {pkt.TCPUrg, "U"}, {pkt.TCPEce, "E"}, {pkt.TCPCwr, "W"},
}

// tcp prints a TCP segment (RFC 9293, section 3.1).
func (l *line) tcp(p part, e pair, fragment bool) {
	if len(p.b) < 4 {
		l.shortPorts(e, "tcp")
		return
	}
	l.ports(e, binary.BigEndian.Uint16(p.b), binary.BigEndian.Uint16(p.b[2:]))
	if len(p.b) < tcpLen {
		l.cut("tcp")
		return
	}
	s := pkt.TCP(p.b)
	head := s.HeaderLen()
	if head < tcpLen {
		l.add(" tcp % [bad hdr length % - too short, < 20]", uint32(max(0, p.wire-head)), uint32(head))
		return
	}
	l.flags(s.Flags())
	if head > p.wire {
		l.add(" [bad hdr length % - too long, > %]", uint32(head), uint32(p.wire))
		return
	}
	if l.more && !fragment {
		l.tcpChecksum(p, e)
	}
	l.segment(s, uint32(p.wire-head))
	if head > tcpLen && !l.tcpOptions(part{p.b[tcpLen:], head - tcpLen}) {
		return
	}
	l.add(", length %", uint32(p.wire-head))
	if dns, _ := isDNS(s.SrcPort(), s.DstPort()); dns && p.wire > head {
		l.dnsStream(p.from(head))
	}
}

func (l *line) flags(flags uint8) {
	l.add("Flags [")
	for _, f := range tcpFlags {
		if flags&f.bit != 0 {
			l.add(f.letter)
		}
	}
	if flags == 0 {
		l.add("none")
	}
	l.add("]")
}

// segment prints the numbers of a segment with data bytes of payload.
func (l *line) segment(s pkt.TCP, data uint32) {
	flags, seq := s.Flags(), s.Seq()
	if data > 0 || flags&(pkt.TCPSyn|pkt.TCPFin|pkt.TCPRst) != 0 {
		l.add(", seq %", seq)
		if data > 0 {
			l.add(":%", seq+data)
		}
	}
	if flags&pkt.TCPAck != 0 {
		l.add(", ack %", s.Ack())
	}
	l.add(", win %", uint32(s.Window()))
	if flags&pkt.TCPUrg != 0 {
		l.add(", urg %", uint32(binary.BigEndian.Uint16(s[18:])))
	}
}
