package summary

import (
	"encoding/binary"

	"gomapi/internal/pkt"
)

// EtherTypes that are named but not decoded.
const (
	etherTypePPPoEDiscovery = 0x8863
	etherTypeQinQOlder      = 0x9200

	maxLength8023 = 1500 // up to this value it is a length, not an EtherType
)

var etherTypes = map[uint16]string{
	pkt.EtherTypeIPv4: "IPv4", pkt.EtherTypeIPv6: "IPv6", pkt.EtherTypeARP: "ARP", etherTypeRARP: "Reverse ARP",
	pkt.EtherTypeVLAN: "802.1Q", pkt.EtherTypeQinQ: "802.1Q-QinQ", pkt.EtherTypeQinQOld: "802.1Q-9100",
	etherTypeQinQOlder: "802.1Q-9200", pkt.EtherTypeMPLS: "MPLS unicast", pkt.EtherTypeMPLSUpstream: "MPLS multicast",
	etherTypePPPoEDiscovery: "PPPoE D", pkt.EtherTypePPPoE: "PPPoE S",
}

// etherType prints an EtherType.
func (l *line) etherType(n uint16) {
	name := etherTypes[n]
	if name == "" {
		name = "Unknown"
	}
	l.add("ethertype ")
	l.add(name)
	l.add(" (0x")
	l.hex(uint32(n), 4)
	l.add(")")
}

// linkHeader prints the link header and VLAN tags; wire is the length on the
// wire. For links without addresses it prints the protocol.
func (l *line) linkHeader(link []byte, linkType uint16, wire uint32, h *pkt.Headers) {
	switch linkType {
	case pkt.DLTEthernet:
		l.ethernet(link, wire, h)
	case pkt.DLTLinuxSLL:
		l.cooked(link, wire, h)
	case pkt.DLTLinuxSLL2:
		l.cooked2(link, wire, h)
	case pkt.DLTRaw, pkt.DLTRawFile, pkt.DLTIPv4, pkt.DLTIPv6:
		l.add("ip: ")
	case pkt.DLTNull, pkt.DLTLoop:
		l.family(link, wire)
	case pkt.DLTPPP, pkt.DLTPPPSerial:
		l.ppp(link, wire)
	}
}

// ethernet prints an Ethernet header (IEEE 802.3, section 3.1).
func (l *line) ethernet(link []byte, wire uint32, h *pkt.Headers) {
	const size = 14
	if len(link) < size {
		return
	}
	l.mac(link[macLen:])
	l.add(" > ")
	l.mac(link)
	l.add(", ")
	kind := binary.BigEndian.Uint16(link[2*macLen:])
	if kind <= maxLength8023 {
		l.add("802.3, length %: ", uint32(kind))
		return
	}
	if isTag(kind) && len(link) < size+tagLen {
		l.cut("vlan")
		return
	}
	l.etherType(kind)
	l.add(", length %: ", wire)
	l.tags(link[size:], h)
}

const tagLen = 4 // of a VLAN tag

// isTag reports whether an EtherType is that of a VLAN tag.
func isTag(etherType uint16) bool {
	switch etherType {
	case pkt.EtherTypeVLAN, pkt.EtherTypeQinQ, pkt.EtherTypeQinQOld:
		return true
	}
	return false
}

// tags prints the VLAN tags at the start of b (IEEE 802.1Q, section 9.6).
func (l *line) tags(b []byte, h *pkt.Headers) {
	for range min(int(h.VLANs), len(b)/tagLen) {
		tci, next := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		l.add("vlan %, p %, ", uint32(tci&0xfff), uint32(tci>>13))
		if tci&0x1000 != 0 {
			l.add("DEI, ")
		}
		b = b[tagLen:]
		switch {
		case isTag(next) && len(b) < tagLen:
			l.cut("vlan")
		case next > maxLength8023:
			l.etherType(next)
			l.add(", ")
		}
	}
}

// cooked prints the header of a Linux cooked capture (LINKTYPE_LINUX_SLL):
// packet type, sender's address, protocol.
func (l *line) cooked(link []byte, wire uint32, h *pkt.Headers) {
	const size = 16
	if len(link) < size {
		return
	}
	l.way(binary.BigEndian.Uint16(link), false)
	l.sender(link[6:14], int(binary.BigEndian.Uint16(link[4:])))
	l.protocol(link[size:], binary.BigEndian.Uint16(link[14:]), wire, h)
}

// cooked2 prints the header of version 2, after the output of interfaceOf.
func (l *line) cooked2(link []byte, wire uint32, h *pkt.Headers) {
	if len(link) < cooked2Len {
		return
	}
	l.add("ifindex % ", binary.BigEndian.Uint32(link[4:]))
	l.sender(link[12:cooked2Len], int(link[11]))
	l.protocol(link[cooked2Len:], binary.BigEndian.Uint16(link), wire, h)
}

const cooked2Len = 20 // header of Linux cooked captures, version 2

// interfaceOf prints interface and direction of a packet in a capture on all
// interfaces. Without name it prints the interface number.
func (l *line) interfaceOf(link []byte, linkType uint16, name func(index uint32) string) {
	if linkType != pkt.DLTLinuxSLL2 || len(link) < cooked2Len {
		return
	}
	const width = 5
	start := len(l.text)
	index := binary.BigEndian.Uint32(link[4:])
	if name != nil {
		l.add(name(index))
	} else {
		l.add("#%", index)
	}
	for len(l.text) < start+width {
		l.add(" ")
	}
	l.add(" ")
	l.way(uint16(link[10]), true)
}

// ways are the packet types of cooked captures.
var ways = [...]string{"In", "B", "M", "P", "Out"}

// way prints a packet type, left- or right-aligned in a column.
func (l *line) way(kind uint16, left bool) {
	text := "?"
	if int(kind) < len(ways) {
		text = ways[kind]
	}
	blanks := "   "[:len("Out")-len(text)]
	if left {
		text, blanks = blanks, text
	}
	l.add(blanks)
	l.add(text)
	l.add(" ")
}

// sender prints the address of length bytes at the start of b.
func (l *line) sender(b []byte, length int) {
	if length == macLen {
		l.mac(b)
		l.add(" ")
	}
}

// protocol prints the protocol of a cooked packet and the tags after its
// header.
func (l *line) protocol(b []byte, kind uint16, wire uint32, h *pkt.Headers) {
	if kind > maxLength8023 {
		l.etherType(kind)
		l.add(", ")
	}
	l.add("length %: ", wire)
	l.tags(b, h)
}

// family prints the address family of a BSD loopback header.
func (l *line) family(link []byte, wire uint32) {
	if len(link) < 4 {
		return
	}
	n := binary.BigEndian.Uint32(link)
	if n > 0xffff {
		n = binary.LittleEndian.Uint32(link)
	}
	name := "Unknown"
	switch n {
	case 2:
		name = "IPv4"
	case 24, 28, 30:
		name = "IPv6"
	}
	l.add("AF ")
	l.add(name)
	l.add(" (%), length %: ", n, wire)
}

// pppNames are names of PPP protocols (IANA, Point-to-Point Protocol Field
// Assignments).
var pppNames = map[uint16]string{0x21: "IP", 0x57: "IP6", 0x281: "MPLS"}

// ppp prints the protocol of a PPP frame.
func (l *line) ppp(link []byte, wire uint32) {
	if len(link) >= 2 && link[0] == 0xff && link[1] == 3 {
		link = link[2:]
	}
	if len(link) < 2 {
		return
	}
	n := uint16(link[0])
	if n&1 == 0 { // otherwise the field has one byte
		n = binary.BigEndian.Uint16(link)
	}
	name := pppNames[n]
	if name == "" {
		name = "unknown"
	}
	l.add(name)
	l.add(" (0x")
	l.hex(uint32(n), 4)
	l.add("), length %: ", wire)
}
