package summary

import (
	"encoding/binary"

	"gomapi/internal/pkt"
)

// protocolNames are names of IP protocols (IANA, Protocol Numbers).
var protocolNames = map[uint8]string{
	pkt.ProtoHopByHop: "Options", pkt.ProtoICMP: "ICMP", 2: "IGMP", protoIPv4: "IPIP", pkt.ProtoTCP: "TCP", 8: "EGP",
	9: "IGRP", pkt.ProtoUDP: "UDP", 33: "DCCP", protoIPv6: "IPv6", 46: "RSVP", 47: "GRE", 50: "ESP", 51: "AH", 55: "Mobile IP",
	pkt.ProtoICMPv6: "ICMPv6", 88: "EIGRP", 89: "OSPF", 103: "PIM", 108: "Compressed IP", 112: "VRRP", 113: "PGM", 132: "SCTP",
	135: "Mobility",
}

// protocolOf prints the name of an IP protocol.
func (l *line) protocolOf(n uint8, unknown string) {
	name := protocolNames[n]
	if name == "" {
		name = unknown
	}
	l.add(name)
	l.add(" (%)", uint32(n))
}

// header4 prints the header of an IPv4 packet; it has head bytes including
// options.
func (l *line) header4(b []byte, head int) {
	ip := pkt.IPv4(b)
	l.add("(tos 0x")
	l.shortHex(uint32(b[1]))
	l.add([...]string{"", ",ECT(1)", ",ECT(0)", ",CE"}[b[1]&3])
	if ttl := b[8]; ttl > 0 {
		l.add(", ttl %", uint32(ttl))
	}
	field := binary.BigEndian.Uint16(b[6:])
	l.add(", id %, offset %, flags [", uint32(binary.BigEndian.Uint16(b[4:])), uint32(field&0x1fff)*8)
	l.fragmentFlags(field)
	l.add("], proto ")
	l.protocolOf(ip.Protocol(), "unknown")
	l.add(", length %", uint32(binary.BigEndian.Uint16(b[2:])))
	if head > ipv4Len {
		l.options4(b[ipv4Len:min(head, len(b))])
	}
	if is := binary.BigEndian.Uint16(b[10:]); head <= len(b) && checksum(0, b[:head]) != 0 {
		l.add(", bad cksum ")
		l.shortHex(uint32(is))
		l.add(" (->")
		l.shortHex(uint32(expected(is, checksum(0, b[:head]))))
		l.add(")!")
	}
	l.add(")\n    ")
}

func (l *line) fragmentFlags(field uint16) {
	separator := ""
	for _, f := range []struct {
		bit  uint16
		name string
	}{{0x2000, "+"}, {0x4000, "DF"}, {0x8000, "rsvd"}} {
		if field&f.bit != 0 {
			l.add(separator)
			l.add(f.name)
			separator = ", "
		}
	}
	if separator == "" {
		l.add("none")
	}
}

// options4 prints the options of IPv4 (IANA, Internet Protocol Version 4
// Parameters).
func (l *line) options4(b []byte) {
	l.add(", options (")
	separator := ""
	for len(b) > 0 {
		l.add(separator)
		separator = ","
		size := 1
		switch b[0] {
		case 0:
			l.add("EOL")
		case 1:
			l.add("NOP")
		case 7:
			l.add("RR")
			size = 0
		case 68:
			l.add("timestamp")
			size = 0
		case 148:
			l.add("RA")
			size = 0
		default:
			l.add("unknown %", uint32(b[0]))
			size = 0
		}
		if size == 0 && len(b) > 1 {
			size = int(b[1])
		}
		if b[0] == 0 || size == 0 {
			break
		}
		b = b[min(size, len(b)):]
	}
	l.add(")")
}

// header6 prints the header of an IPv6 packet.
func (l *line) header6(b []byte) {
	l.add("(")
	word := binary.BigEndian.Uint32(b)
	if class := word >> 20 & 0xff; class != 0 {
		l.add("class 0x")
		l.hex(class, 2)
		l.add(", ")
	}
	if label := word & 0xfffff; label != 0 {
		l.add("flowlabel 0x")
		l.hex(label, 5)
		l.add(", ")
	}
	l.add("hlim %, next-header ", uint32(b[7]))
	l.protocolOf(b[6], "unknown")
	l.add(" payload length: %) ", uint32(binary.BigEndian.Uint16(b[4:])))
}

// checksum is the Internet checksum of b, starting with the sum of the
// preceding data (RFC 1071). It is 0 if the data includes a correct checksum.
func checksum(sum uint32, b []byte) uint16 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
		sum = sum>>16 + sum&0xffff
	}
	if len(b) > 0 {
		sum += uint32(b[0]) << 8
	}
	sum = sum>>16 + sum&0xffff
	return ^uint16(sum>>16 + sum)
}

// expected is the correct checksum, given the actual checksum and the error of
// the sum.
func expected(is, wrong uint16) uint16 {
	sum := uint32(is) + uint32(wrong)
	return uint16(sum>>16 + sum&0xffff)
}

// pseudo is the sum of the pseudo-header of TCP and UDP (RFC 9293, section 3.1;
// RFC 8200, section 8.1).
func (e pair) pseudo(proto uint8, length int) (sum uint32) {
	for _, b := range [][]byte{e.src, e.dst} {
		for ; len(b) > 1; b = b[2:] {
			sum += uint32(binary.BigEndian.Uint16(b))
		}
	}
	sum += uint32(proto) + uint32(length>>16) + uint32(length&0xffff)
	return sum>>16 + sum&0xffff
}

// tcpChecksum prints the checksum of an entirely captured segment.
func (l *line) tcpChecksum(p part, e pair) {
	if len(p.b) < p.wire {
		return
	}
	is := binary.BigEndian.Uint16(p.b[16:])
	l.add(", cksum 0x")
	l.hex(uint32(is), 4)
	wrong := checksum(e.pseudo(pkt.ProtoTCP, p.wire), p.b[:p.wire])
	if wrong == 0 {
		l.add(" (correct)")
		return
	}
	l.add(" (incorrect -> 0x")
	l.hex(uint32(expected(is, wrong)), 4)
	l.add(")")
}

// udpChecksum prints the checksum of an entirely captured datagram. Over IPv4
// it is optional.
func (l *line) udpChecksum(p part, e pair) {
	is := binary.BigEndian.Uint16(p.b[6:])
	if len(e.src) == ipv4Address {
		return
	}
	if is == 0 {
		l.add("[no cksum] ")
		return
	}
	if len(p.b) < p.wire {
		return
	}
	wrong := checksum(e.pseudo(pkt.ProtoUDP, p.wire), p.b[:p.wire])
	if wrong == 0 {
		l.add("[udp sum ok] ")
		return
	}
	l.add("[bad udp cksum 0x")
	l.hex(uint32(is), 4)
	l.add(" -> 0x")
	l.hex(uint32(expected(is, wrong)), 4)
	l.add("!] ")
}

// icmpChecksum prints the checksum of an entirely captured message if it is
// wrong.
func (l *line) icmpChecksum(p part) {
	if len(p.b) < p.wire || len(p.b) < 4 {
		return
	}
	if wrong := checksum(0, p.b[:p.wire]); wrong != 0 {
		is := binary.BigEndian.Uint16(p.b[2:])
		l.add(" (wrong icmp cksum ")
		l.shortHex(uint32(is))
		l.add(" (->")
		l.shortHex(uint32(expected(is, wrong)))
		l.add(")!)")
	}
}
