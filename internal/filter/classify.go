package filter

import "gomapi/internal/pkt"

// Classify appends a hit for every match to hits: packets in order, each member
// once for a packet, the members of one packet in any order. It never grows
// hits. Before a packet whose matches might not fit, that is with less than
// Len() room left, it stops; n is the number of packets decided. With room for
// Len() hits it decides at least one packet. s must fit c. It does not allocate.
func (c *Classifier) Classify(s *Scratch, pkts []pkt.Packet, hits []Hit) (n int, out []Hit) {
	s.fetch(pkts)
	for i := range pkts {
		if cap(hits)-len(hits) < c.count {
			return i, hits
		}
		p := &pkts[i]
		if l := c.descend(p); l != emptyLeaf {
			s.next()
			hits = c.decide(&c.leaves[l], s, p, uint32(i), hits)
		}
		for _, b := range c.singles {
			if c.matches(b, p) {
				hits = c.report(b, uint32(i), hits)
			}
		}
	}
	return len(pkts), hits
}

// descend takes a packet through the shape and returns the number of its leaf.
func (c *Classifier) descend(p *pkt.Packet) int32 {
	at := c.root
	for at >= 0 {
		s := &c.states[at]
		if v, ok := c.read(&s.field, p.Link, p.Wire); ok {
			at = s.lead(v)
		} else {
			at = s.fail
		}
	}
	return ^at
}

// decide appends the hits of one packet, for which there is room.
func (c *Classifier) decide(l *leaf, s *Scratch, p *pkt.Packet, packet uint32, hits []Hit) []Hit {
	if l.lacks(p.Link) {
		return c.decideShort(l, s, p, packet, hits)
	}
	if l.every != 0 {
		hits = c.follow(l.every, s, p, packet, hits)
	}
	for i := range l.indexes {
		x := &l.indexes[i]
		if v, ok := c.read(&x.field, p.Link, p.Wire); ok {
			if at := x.find(v); at != 0 {
				hits = c.follow(at, s, p, packet, hits)
			}
		}
	}
	for _, b := range l.byDefault {
		if s.first(b) {
			hits = c.report(b, packet, hits)
		}
	}
	return hits
}

func (c *Classifier) matches(b uint32, p *pkt.Packet) bool {
	return c.bundles[b].program.Match(p.Link, p.Wire)
}

// report appends a hit for each member of a bundle.
func (c *Classifier) report(b, packet uint32, hits []Hit) []Hit {
	g := &c.bundles[b]
	for _, m := range c.members[g.from:g.to] {
		hits = append(hits, Hit{Packet: packet, Member: m})
	}
	return hits
}
