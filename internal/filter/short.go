package filter

import "gomapi/internal/pkt"

// decideShort decides a packet that lacks what the leaf relies on: entries say
// whose programs are to decide.
func (c *Classifier) decideShort(l *leaf, s *Scratch, p *pkt.Packet, packet uint32, hits []Hit) []Hit {
	hits = c.followShort(l.every, s, p, packet, hits)
	for i := range l.indexes {
		x := &l.indexes[i]
		if v, ok := c.read(&x.field, p.Link, p.Wire); ok {
			hits = c.followShort(x.find(v), s, p, packet, hits)
		}
	}
	for _, b := range l.byDefault {
		if s.first(b) && c.matches(b, p) {
			hits = c.report(b, packet, hits)
		}
	}
	return hits
}

func (c *Classifier) followShort(at uint32, s *Scratch, p *pkt.Packet, packet uint32, hits []Hit) []Hit {
	for ; at != 0; at = c.lists.list[at].around {
		l := &c.lists.list[at]
		for _, m := range c.lists.plain[l.plain:l.plainEnd] {
			if c.matches(c.groups[m], p) {
				hits = append(hits, Hit{Packet: packet, Member: m})
			}
		}
		for _, k := range c.lists.links[l.links:l.linksEnd] {
			b := k.entry.bundle()
			if (k.entry&(once|exclude) == 0 || s.first(b)) && c.matches(b, p) {
				hits = c.report(b, packet, hits)
			}
		}
	}
	return hits
}
