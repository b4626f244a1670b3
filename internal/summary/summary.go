// Package summary puts a packet into one line for people, in the words of
// tcpdump without options:
//
//	IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [S], seq 1, win 65535, length 0
//
// Sequence numbers of TCP are absolute, as with tcpdump -S, because a line here
// stands for itself. It ends where transport ends: of what applications say only DNS is
// read. Headers of links and tags are told when Options ask for it, those of tunnels
// not, but for MPLS labels and IP in IP; what is not decoded is named by its number and
// length.
//
// Append in this file finds the network header. A file holds one protocol;
// line.go and part.go are what they stand on: text, and bytes that may be cut
// off anywhere. Bytes are hostile: all reading is bounded by what was captured,
// IP in IP ends after a few layers, the text of DNS is of bounded length, and of a packet
// only numbers and the characters of names get into the line, so that it is printable
// ASCII. Nothing allocates, unless dst
// must grow.
package summary

import (
	"encoding/binary"

	"gomapi/internal/pkt"
)

const (
	etherTypeRARP = 0x8035

	macLen = 6
)

// Options say what a line tells besides.
type Options struct {
	// Link: addresses and protocol of the link, and VLAN tags, as tcpdump -e.
	Link bool
	// Verbose: headers of IP, checksums, and names in answers of DNS, as tcpdump -v. A
	// line then has line ends in it.
	Verbose bool
	// Interface names an interface by its number, for packets captured on all of them;
	// nil: the number stands there.
	Interface func(index uint32) string
}

// Append appends the line of a packet, without line end, to dst. link holds the
// captured bytes from the link header on, linkType their DLT, and wire is the length
// on the wire in bytes. It keeps nothing; any goroutine may call it.
func Append(dst, link []byte, linkType uint16, wire uint32) []byte {
	return Options{}.Append(dst, link, linkType, wire)
}

// Append is the function of that name, with what o asks for.
func (o Options) Append(dst, link []byte, linkType uint16, wire uint32) []byte {
	var h pkt.Headers
	pkt.Parse(link, linkType, &h)
	l := line{text: dst, link: o.Link, more: o.Verbose}
	l.interfaceOf(link, linkType, o.Interface)
	if o.Link {
		l.linkHeader(link, linkType, wire, &h)
	}
	l.labels(link, &h)
	p := part{link, max(len(link), int(wire))}
	if h.Has&(pkt.HasIPv4|pkt.HasIPv6) == 0 && int(h.End) < len(link) {
		p = p.first(int(h.End)) // a link header has a length; what IP says is not asked yet
	}
	p = p.from(int(h.Net))
	switch h.EtherType {
	case pkt.EtherTypeIPv4:
		l.ipv4(p, 0)
	case pkt.EtherTypeIPv6:
		l.ipv6(p, 0)
	case pkt.EtherTypeARP, etherTypeRARP:
		l.arp(p)
	default:
		l.unknown(link, linkType, wire, &h)
	}
	return l.text
}

// labels tells of the MPLS stack (RFC 3032, section 2.1), which is what stands
// before the network header.
func (l *line) labels(link []byte, h *pkt.Headers) {
	const size = 4
	start := int(h.Net) - size*int(h.Labels)
	if h.Labels == 0 || start < 0 {
		return
	}
	l.add("MPLS")
	bottom := false
	for b := link[start:h.Net]; len(b) >= size; b = b[size:] {
		entry := binary.BigEndian.Uint32(b)
		if l.more && len(b) < int(h.Net)-start {
			l.add("\n\t")
		} else {
			l.add(" ")
		}
		l.add("(label %, tc %, ", entry>>12, entry>>9&7)
		if bottom = entry&0x100 != 0; bottom {
			l.add("[S], ")
		}
		l.add("ttl %)", entry&0xff)
	}
	switch {
	case !bottom || len(link) == int(h.Net):
		l.cut("mpls")
	case h.EtherType != 0 && l.more:
		l.add("\n\t")
	case h.EtherType != 0:
		l.add(" ")
	}
}

// unknown names a frame in which no protocol was found that is known here.
func (l *line) unknown(link []byte, linkType uint16, wire uint32, h *pkt.Headers) {
	switch {
	case h.Labels > 0:
	case h.EtherType == pkt.EtherTypeMPLS || h.EtherType == pkt.EtherTypeMPLSUpstream:
		l.add("MPLS")
		l.cut("mpls")
	case linkType == pkt.DLTEthernet && len(link) < macLen+macLen:
		l.cut("ether")
	case l.link && linkType == pkt.DLTEthernet: // all is said
	case linkType == pkt.DLTEthernet:
		l.mac(link[macLen:])
		l.add(" > ")
		l.mac(link)
		l.nameless(h.EtherType, wire)
	default:
		l.add("link-type %", uint32(linkType))
		l.nameless(h.EtherType, wire)
	}
}

// nameless appends what is left to tell of a frame; etherType is 0 when there is
// none.
func (l *line) nameless(etherType uint16, wire uint32) {
	if etherType != 0 {
		l.add(", ethertype Unknown (0x")
		l.hex(uint32(etherType), 4)
		l.add(")")
	}
	l.add(", length %", wire)
}
