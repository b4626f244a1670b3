package tracegen

import "encoding/binary"

const arpLen = 28

// arp writes a request for, or a reply from, a host in the clients' networks
// (RFC 826), padded, and returns the frame length.
func (g *generator) arp(b []byte) int {
	asking, asked := g.host(false, clientNets), g.host(false, clientNets)
	clear(b[:minFrame])
	reply := g.percent(50)
	if reply {
		copy(b, asking.mac[:])
		asking, asked = asked, asking
	} else {
		copy(b, "\xff\xff\xff\xff\xff\xff")
	}
	copy(b[6:], asking.mac[:])
	binary.BigEndian.PutUint16(b[12:], 0x0806)
	p := b[ethernetLen : ethernetLen+arpLen]
	copy(p, "\x00\x01\x08\x00\x06\x04\x00\x01") // Ethernet, IPv4, request
	if reply {
		p[7] = 2
		copy(p[18:], asked.mac[:])
	}
	copy(p[8:], asking.mac[:])
	copy(p[14:], asking.ip[:4])
	copy(p[24:], asked.ip[:4])
	g.sum.ARP++
	return minFrame
}
