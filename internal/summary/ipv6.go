package summary

import (
	"encoding/binary"

	"gomapi/internal/pkt"
)

const (
	ipv4Address = 4 // bytes
	ipv6Address = 16

	ipv6Len = 40 // without extension headers
	extLen  = 8  // smallest extension header
)

// ipv6 prints an IPv6 packet (RFC 8200, section 3).
func (l *line) ipv6(p part, depth int) {
	if len(p.b) < ipv6Len {
		l.cut("ip6")
		return
	}
	l.protocolName("IP6 ")
	ip := pkt.IPv6(p.b)
	if ip.Version() != 6 {
		l.add("version error: % != 6", uint32(ip.Version()))
		return
	}
	if l.more {
		l.header6(p.b)
	}
	total := ipv6Len + ip.PayloadLength()
	if total == ipv6Len && ip.NextHeader() != pkt.ProtoNone {
		total = max(total, p.wire) // a jumbogram, or empty due to segmentation offload
	}
	if total > p.wire {
		l.add("truncated-ip6 - % bytes missing!", uint32(total-p.wire))
	}
	l.extensions(p.first(total).from(ipv6Len), ip.NextHeader(), pair{src: p.b[8:24], dst: p.b[24:40]}, depth)
}

// extensions prints the extension headers at the start of p and the data after
// them. Each header takes at least eight bytes of p, which bounds the loop.
func (l *line) extensions(p part, next uint8, e pair, depth int) {
	fragment := false
	for x := extensionOf(next); x.name != ""; x = extensionOf(next) {
		if !e.said {
			l.hosts(e)
			e.said = true
		}
		size := extensionSize(p.b, next)
		if size == 0 {
			l.cut(x.cut)
			return
		}
		l.add(x.name)
		if next == pkt.ProtoFragment {
			field := binary.BigEndian.Uint16(p.b[2:])
			l.add(" (%|%)", uint32(field&^7), uint32(max(0, p.wire-extLen)))
			if field&^7 != 0 || len(p.b) <= extLen {
				return
			}
			fragment = true
		}
		l.add(" ")
		next, p = p.b[0], p.from(size)
	}
	l.inner(p, next, e, fragment, depth)
}

// An extension is a header between IPv6 and transport. cut is printed if it was
// not captured entirely.
type extension struct{ name, cut string }

// extensionOf returns no name for a protocol that ends the chain of headers.
func extensionOf(next uint8) extension {
	switch next {
	case pkt.ProtoHopByHop:
		return extension{"HBH", "hbhopt"}
	case pkt.ProtoDestOpts:
		return extension{"DSTOPT", "dstopt"}
	case pkt.ProtoFragment:
		return extension{"frag", "frag6"}
	}
	return extension{}
}

// extensionSize returns the size of the extension header at the start of b, 0
// if too few bytes were captured. Half of a fragment header suffices.
func extensionSize(b []byte, next uint8) int {
	switch {
	case next == pkt.ProtoFragment && len(b) >= extLen/2:
		return extLen
	case next == pkt.ProtoFragment, len(b) < extLen:
		return 0
	}
	if size := extLen * (int(b[1]) + 1); size <= len(b) {
		return size
	}
	return 0
}
