package summary

import (
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
)

// A line is the text so far.
type line struct {
	text []byte
	link bool // the line has a link header, which names the protocol
	more bool // verbose: headers and checksums
}

// protocolName appends the name of the network protocol, unless the line
// already has it.
func (l *line) protocolName(name string) {
	if !l.link {
		l.add(name)
	}
}

// add appends text. It replaces each % by the next number.
func (l *line) add(text string, numbers ...uint32) {
	for _, n := range numbers {
		before, after, _ := strings.Cut(text, "%")
		l.text = append(l.text, before...)
		l.text = strconv.AppendUint(l.text, uint64(n), 10)
		text = after
	}
	l.text = append(l.text, text...)
}

// cut marks a protocol as truncated.
func (l *line) cut(protocol string) {
	l.add(" [|")
	l.add(protocol)
	l.add("]")
}

// hex appends n with this many hexadecimal digits, at most 8.
func (l *line) hex(n uint32, digits int) {
	const alphabet = "0123456789abcdef"
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		l.text = append(l.text, alphabet[n>>shift&15])
	}
}

func (l *line) hexBytes(b []byte) { l.text = hex.AppendEncode(l.text, b) }

// mac appends the Ethernet address at the start of b.
func (l *line) mac(b []byte) {
	for i, octet := range b[:macLen] {
		if i > 0 {
			l.add(":")
		}
		l.hex(uint32(octet), 2)
	}
}

// address appends an IPv4 address of 4 bytes or an IPv6 address of 16.
func (l *line) address(b []byte) {
	if len(b) == 4 {
		l.add("%.%.%.%", uint32(b[0]), uint32(b[1]), uint32(b[2]), uint32(b[3]))
		return
	}
	a := netip.AddrFrom16([16]byte(b))
	if compatible(b) {
		l.add("::")
		l.address(b[12:])
		return
	}
	l.text = a.AppendTo(l.text)
}

// compatible reports whether an IPv6 address is IPv4-compatible, so that its
// end is written like an IPv4 address (RFC 4291, section 2.5.5.1). Addresses
// with a small number, such as ::1, are not.
func compatible(b []byte) bool {
	for _, octet := range b[:12] {
		if octet != 0 {
			return false
		}
	}
	return b[12] != 0 || b[13] != 0
}

// A pair is the source and destination of a packet, IPv4 or IPv6 addresses.
type pair struct {
	src, dst []byte
	said     bool // the line already has them
}

func (l *line) hosts(e pair) {
	l.address(e.src)
	l.add(" > ")
	l.address(e.dst)
	l.add(": ")
}

// shortPorts appends the addresses of a packet whose ports were not captured.
func (l *line) shortPorts(e pair, protocol string) {
	l.address(e.src)
	l.add(" > ")
	l.address(e.dst)
	l.add(":")
	l.cut(protocol)
}

// ports appends the addresses with ports, or only the ports if the line already
// has the addresses.
func (l *line) ports(e pair, src, dst uint16) {
	if e.said {
		l.add("% > %: ", uint32(src), uint32(dst))
		return
	}
	l.address(e.src)
	l.add(".% > ", uint32(src))
	l.address(e.dst)
	l.add(".%: ", uint32(dst))
}
