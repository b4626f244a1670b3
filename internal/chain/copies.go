package chain

import "gomapi/internal/pkt"

// copies holds a flow's private copies of the packets of one batch.
type copies struct {
	pkts  []pkt.Packet
	ptrs  []*pkt.Packet
	bytes []byte
}

// of copies packets and their bytes. The copies last until the next call. It keeps the
// memory, so that a steady flow does not allocate.
func (c *copies) of(in []*pkt.Packet) []*pkt.Packet {
	size := 0
	for _, p := range in {
		size += len(p.Link)
	}
	if size > cap(c.bytes) {
		c.bytes = make([]byte, size)
	}
	if len(in) > cap(c.pkts) {
		c.pkts = make([]pkt.Packet, len(in))
		c.ptrs = make([]*pkt.Packet, len(in))
	}
	room := c.bytes[:0]
	for i, p := range in {
		at := len(room)
		room = append(room, p.Link...)
		c.pkts[i] = *p
		c.pkts[i].Link = room[at:len(room):len(room)]
		c.pkts[i].Dev = nil // the hardware's record describes the original
		c.ptrs[i] = &c.pkts[i]
	}
	return c.ptrs[:len(in)]
}
