package tracegen

import "encoding/binary"

const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58

	ethernetLen = 14
	ipv4Len     = 20
	ipv6Len     = 40
	tcpLen      = 20
	udpLen      = 8 // and ICMP echo

	fin, syn, psh, ack = 0x01, 0x02, 0x08, 0x10
)

// tcp writes the next segment of a connection: handshake, data and bare
// acknowledgments, FIN. It returns the frame length.
func (g *generator) tcp(b []byte, c *conversation, from side, size int) int {
	me, peer := &c.ends[from], &c.ends[1-from]
	flags, data := byte(ack), 0
	switch {
	case c.sent == 0:
		flags = syn
	case c.sent == 1:
		flags = syn | ack
	case c.left == 1:
		flags = fin | ack
	case c.sent >= handshake && (size > 110 || g.percent(30)):
		if data = room(c, size, tcpLen); data > 0 {
			flags |= psh
		}
	}
	seg, n := g.network(b, c, from, tcpLen+data)
	binary.BigEndian.PutUint16(seg, me.port)
	binary.BigEndian.PutUint16(seg[2:], peer.port)
	binary.BigEndian.PutUint32(seg[4:], me.seq)
	if flags&ack != 0 {
		binary.BigEndian.PutUint32(seg[8:], peer.seq)
	}
	seg[12], seg[13] = tcpLen/4<<4, flags
	binary.BigEndian.PutUint16(seg[14:], 0xffff)
	binary.BigEndian.PutUint32(seg[16:], 0) // checksum, urgent pointer
	g.fill(seg[tcpLen:], c.text)
	binary.BigEndian.PutUint16(seg[16:], segmentSum(seg, c))
	me.seq += uint32(data)
	if flags&(syn|fin) != 0 {
		me.seq++
	}
	g.sum.TCP++
	return n
}

// datagram writes the next UDP datagram or ICMP echo of a conversation and
// returns the frame length.
func (g *generator) datagram(b []byte, c *conversation, from side, size int) int {
	seg, n := g.network(b, c, from, udpLen+room(c, size, udpLen))
	sumAt := 6
	if c.proto == protoUDP {
		binary.BigEndian.PutUint16(seg, c.ends[from].port)
		binary.BigEndian.PutUint16(seg[2:], c.ends[1-from].port)
		binary.BigEndian.PutUint16(seg[4:], uint16(len(seg)))
		g.sum.UDP++
		if g.ports != nil && c.vlan == 0 {
			g.ports.addTo(c.ends[1-from].port, n)
		}
	} else {
		seg[0], seg[1] = echoType(c.v6, from), 0
		binary.BigEndian.PutUint16(seg[4:], c.ends[client].port)
		binary.BigEndian.PutUint16(seg[6:], uint16(c.sent))
		sumAt = 2
		g.sum.ICMP++
	}
	binary.BigEndian.PutUint16(seg[sumAt:], 0)
	g.fill(seg[udpLen:], c.text)
	binary.BigEndian.PutUint16(seg[sumAt:], segmentSum(seg, c))
	return n
}

// echoType returns the type of an echo request or reply (RFC 792, RFC 4443).
func echoType(v6 bool, from side) byte {
	switch {
	case v6:
		return 128 + byte(from)
	case from == client:
		return 8
	}
	return 0
}

// room returns how many bytes of payload make a frame of this size, not
// counting the tag.
func room(c *conversation, size, transport int) int {
	ip := ipv4Len
	if c.v6 {
		ip = ipv6Len
	}
	return max(0, size-ethernetLen-ip-transport)
}

// network writes Ethernet and IP headers, and padding if needed. It returns the
// place for a segment of this length, and the frame length.
func (g *generator) network(b []byte, c *conversation, from side, segment int) ([]byte, int) {
	off := g.ethernet(b, c, from)
	least := off - ethernetLen + minFrame
	src, dst := &c.ends[from], &c.ends[1-from]
	ip := b[off:]
	if c.v6 {
		off += ipv6Len
		putIPv6(ip, c.proto, segment, src, dst)
		g.sum.IPv6++
	} else {
		off += ipv4Len
		putIPv4(ip, c.proto, segment, g.id, src, dst)
		g.id++
		g.sum.IPv4++
	}
	end := off + segment
	if end < least {
		clear(b[end:least])
	}
	return b[off:end], max(end, least)
}

// ethernet writes the link header, with the conversation's tag, and returns its
// length.
func (g *generator) ethernet(b []byte, c *conversation, from side) int {
	copy(b, c.ends[1-from].mac[:])
	copy(b[6:], c.ends[from].mac[:])
	off := 12
	if c.vlan != 0 {
		binary.BigEndian.PutUint16(b[off:], 0x8100)
		binary.BigEndian.PutUint16(b[off+2:], c.vlan)
		off += tagLen
		g.sum.VLAN++
	}
	etherType := uint16(0x0800)
	if c.v6 {
		etherType = 0x86dd
	}
	binary.BigEndian.PutUint16(b[off:], etherType)
	return off + 2
}

func putIPv4(ip []byte, proto uint8, segment int, id uint16, src, dst *endpoint) {
	ip[0], ip[1] = 0x45, 0
	binary.BigEndian.PutUint16(ip[2:], uint16(ipv4Len+segment))
	binary.BigEndian.PutUint16(ip[4:], id)
	binary.BigEndian.PutUint16(ip[6:], 0x4000) // don't fragment
	ip[8], ip[9] = 64, proto
	binary.BigEndian.PutUint16(ip[10:], 0)
	copy(ip[12:], src.ip[:4])
	copy(ip[16:], dst.ip[:4])
	binary.BigEndian.PutUint16(ip[10:], ^fold(sum(0, ip[:ipv4Len])))
}

func putIPv6(ip []byte, proto uint8, segment int, src, dst *endpoint) {
	binary.BigEndian.PutUint32(ip, 6<<28)
	binary.BigEndian.PutUint16(ip[4:], uint16(segment))
	ip[6], ip[7] = proto, 64
	copy(ip[8:], src.ip[:])
	copy(ip[24:], dst.ip[:])
}
