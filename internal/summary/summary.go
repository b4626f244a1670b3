// Package summary formats a packet as one line for people, with the words of
// tcpdump without options:
//
//	IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [S], seq 1, win 65535, length 0
//
// TCP sequence numbers are absolute, as with tcpdump -S, because each line is
// independent. The line ends with the transport header; DNS is the only
// application protocol that is decoded. Link headers and tags are printed if
// Options ask for them. Tunnel headers are not printed, except MPLS labels and
// IP in IP. Other data is identified by its protocol number and length.
//
// Append in this file finds the network header. Each other file has one
// protocol, except line.go and part.go, their basis: text, and bytes that may
// be truncated anywhere. Packets are hostile: all reads stay within the
// captured bytes, IP in IP ends after a few layers, and the text of DNS has a
// maximum length. Only numbers and characters of names get into the line, so it
// is printable ASCII. Nothing allocates, unless dst must grow.
package summary

import (
	"encoding/binary"

	"gomapi/internal/pkt"
)

const (
	etherTypeRARP = 0x8035

	macLen = 6
)

// Options select additional output.
type Options struct {
	// Link adds link addresses, link protocol and VLAN tags, like tcpdump -e.
	Link bool
	// Verbose adds IP headers, checksums, and names in DNS answers, like
	// tcpdump -v. The text then contains newlines.
	Verbose bool
	// Interface returns the name for an interface number, for packets captured
	// on all interfaces. If it is nil, the number is printed.
	Interface func(index uint32) string
}

// Append appends the line of a packet, without newline, to dst. link has the
// captured bytes, starting with the link header; linkType is their DLT, wire
// the length on the wire in bytes. Append keeps no reference; any goroutine may
// call it.
func Append(dst, link []byte, linkType uint16, wire uint32) []byte {
	return Options{}.Append(dst, link, linkType, wire)
}

// Append is the function Append with the options o.
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
		p = p.first(int(h.End)) // a length in the link header counts here, lengths of IP do not yet
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

// labels prints the MPLS stack (RFC 3032, section 2.1), which precedes the
// network header.
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

// unknown prints a frame without a known protocol.
func (l *line) unknown(link []byte, linkType uint16, wire uint32, h *pkt.Headers) {
	switch {
	case h.Labels > 0:
	case h.EtherType == pkt.EtherTypeMPLS || h.EtherType == pkt.EtherTypeMPLSUpstream:
		l.add("MPLS")
		l.cut("mpls")
	case linkType == pkt.DLTEthernet && len(link) < macLen+macLen:
		l.cut("ether")
	case l.link && linkType == pkt.DLTEthernet: // complete already
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

// nameless prints the rest of a frame; etherType is 0 if there is none.
func (l *line) nameless(etherType uint16, wire uint32) {
	if etherType != 0 {
		l.add(", ethertype Unknown (0x")
		l.hex(uint32(etherType), 4)
		l.add(")")
	}
	l.add(", length %", wire)
}
