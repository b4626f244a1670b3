package filter

import "gomapi/internal/pkt"

// Scratch is what one goroutine needs to use classifiers. Its zero value is
// ready for Fit.
type Scratch struct {
	turn uint32
	seen []uint32 // turn of the packet for which a bundle was dealt with
}

// Fit makes s large enough for c. It allocates, so it belongs before the first
// packet.
func (s *Scratch) Fit(c *Classifier) {
	if len(s.seen) < len(c.bundles) {
		s.seen = make([]uint32, len(c.bundles)+len(c.bundles)/4)
		s.turn = 0
	}
}

// next begins a packet.
func (s *Scratch) next() {
	if s.turn++; s.turn == 0 {
		s.turn = 1
		clear(s.seen)
	}
}

// first reports whether it is called for the bundle for the first time in this
// packet.
func (s *Scratch) first(bundle uint32) bool {
	if s.seen[bundle] == s.turn {
		return false
	}
	s.seen[bundle] = s.turn
	return true
}

// Classify appends a hit for every match to hits: packets in order, each member
// once for a packet, the members of one packet in any order. It never grows
// hits. Before a packet whose matches might not fit, that is with less than
// Len() room left, it stops; n is the number of packets decided. With room for
// Len() hits it decides at least one packet. s must fit c. It does not allocate.
func (c *Classifier) Classify(s *Scratch, pkts []pkt.Packet, hits []Hit) (n int, out []Hit) {
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
	short := l.lacks(p.Link)
	if l.every != 0 {
		hits = c.follow(l.every, short, s, p, packet, hits)
	}
	for i := range l.indexes {
		x := &l.indexes[i]
		if v, ok := c.read(&x.field, p.Link, p.Wire); ok {
			if at := x.find(v); at != 0 {
				hits = c.follow(at, short, s, p, packet, hits)
			}
		}
	}
	for _, b := range l.byDefault {
		if s.first(b) && (!short || c.matches(b, p)) {
			hits = c.report(b, packet, hits)
		}
	}
	return hits
}

// follow deals with a list of entries. For a short packet, which lacks what the
// leaf relies on, programs decide.
func (c *Classifier) follow(at uint32, short bool, s *Scratch, p *pkt.Packet, packet uint32, hits []Hit) []Hit {
	links := c.links
	for at != 0 {
		k := &links[at]
		at = k.next
		b := uint32(k.entry >> entryShift)
		switch {
		case k.entry&(once|exclude) != 0 && !s.first(b):
			continue
		case short || k.entry&verify != 0 && k.check == noCheck:
			if !c.matches(b, p) {
				continue
			}
		case k.entry&verify != 0:
			if !c.passes(k.check, p.Link, p.Wire) {
				continue
			}
		case k.entry&exclude != 0:
			continue
		}
		if k.member == several {
			hits = c.report(b, packet, hits)
		} else {
			hits = append(hits, Hit{Packet: packet, Member: k.member})
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
