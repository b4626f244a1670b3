package tracegen

import "time"

const (
	conversations = 8192    // simultaneous
	poolLen       = 1 << 20 // bytes of noise, from which payloads are taken
	minFrame      = 60      // of Ethernet, without FCS
	maxFrame      = 1514    // without tag
	midFrame      = 590     // 576 bytes of IP, the minimum that every host accepts
	tagLen        = 4
	handshake     = 3 // packets of one
)

// A generator generates packets in sequence. It belongs to one goroutine.
type generator struct {
	random
	sum    Summary
	ports  *Ports // nil: not counted
	open   [conversations]conversation
	text   []byte // pools of noise
	binary []byte
	id     uint16 // of the next IPv4 packet
	buf    [recordLen + maxFrame + tagLen]byte
}

func newGenerator(seed uint64) *generator {
	g := &generator{random: newRandom(seed)}
	g.text = g.random.text(poolLen)
	g.binary = g.random.binary(poolLen)
	for i := range g.open {
		c := g.converse() // started before the capture
		c.sent, c.left = handshake, g.between(1, c.left)
		g.open[i] = c
	}
	return g
}

// gap returns the time to the next packet: bursts with microseconds between
// packets, and pauses of up to milliseconds between bursts.
func (g *generator) gap() time.Duration {
	us := 0
	switch kind := g.below(100); {
	case kind < 70:
		us = g.between(1, 20)
	case kind < 95:
		us = g.between(20, 500)
	default:
		us = g.between(500, 5000)
	}
	return time.Duration(us) * time.Microsecond
}

// size returns the length of a frame without tag. Real traffic has three peaks:
// acknowledgments, old path limits, and full frames.
func (g *generator) size() int {
	switch kind := g.below(1000); {
	case kind < 424:
		return g.between(minFrame, 110)
	case kind < 574:
		return midFrame
	case kind < 674:
		return g.between(111, maxFrame-1)
	}
	return maxFrame
}

// packet generates the next packet, with room for its record header before it.
// The bytes are valid until the next call.
func (g *generator) packet() []byte {
	n := 0
	if g.below(1000) < 8 {
		n = g.arp(g.buf[recordLen:])
	} else {
		n = g.next(g.buf[recordLen:])
	}
	g.sum.Packets++
	g.sum.Bytes += uint64(n)
	return g.buf[:recordLen+n]
}

// next generates the next packet of one of the conversations; those at the
// start of the table are more frequent.
func (g *generator) next(b []byte) int {
	i := min(g.below(conversations), g.below(conversations))
	c := &g.open[i]
	size := g.size()
	from := g.speaker(c, size)
	var n int
	if c.proto == protoTCP {
		n = g.tcp(b, c, from, size)
	} else {
		n = g.datagram(b, c, from, size)
	}
	c.sent++
	if c.left--; c.left <= 0 {
		*c = g.converse()
	}
	return n
}

// speaker returns who sends the next packet of c: the sides alternate during
// the handshake; afterwards servers send most of the large packets.
func (g *generator) speaker(c *conversation, size int) side {
	switch {
	case c.oneWay:
		return client
	case c.sent < handshake:
		return side(c.sent % 2)
	case g.percent(40) || size > midFrame && g.percent(75):
		return server
	}
	return client
}

// fill fills b with noise.
func (g *generator) fill(b []byte, text bool) {
	pool := g.binary
	if text {
		pool = g.text
	}
	copy(b, pool[g.below(len(pool)-len(b)):])
}
