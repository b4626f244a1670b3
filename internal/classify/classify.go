package classify

import "gomapi/internal/pkt"

// Classify adds to matches the packets that match each member. matches must have room for
// Len() members. There are at most pkt.MaxBatch packets, and s must fit c. Classify does
// not allocate.
func (c *Classifier) Classify(s *Scratch, pkts []pkt.Packet, matches *Matches) {
	c.ClassifyTogether(s, pkts, matches)
	c.ClassifySingly(pkts, matches)
}

// ClassifyTogether is Classify for the members that are decided together.
func (c *Classifier) ClassifyTogether(s *Scratch, pkts []pkt.Packet, matches *Matches) {
	s.fetch(pkts)
	d := decision{scratch: s, matches: matches}
	for i := range pkts {
		d.Packet, d.number = &pkts[i], uint32(i)
		if l := c.descend(d.Packet); l != emptyLeaf {
			s.next()
			c.decide(&c.leaves[l], &d)
		}
	}
}

// ClassifySingly is Classify for the members whose programs run for every packet, see Singly.
func (c *Classifier) ClassifySingly(pkts []pkt.Packet, matches *Matches) {
	if len(c.singles) == 0 {
		return
	}
	d := decision{matches: matches}
	for i := range pkts {
		d.Packet, d.number = &pkts[i], uint32(i)
		for _, b := range c.singles {
			if c.matchesProgram(b, d.Packet) {
				c.report(b, &d)
			}
		}
	}
}

// descend takes a packet through the decision tree and returns the number of its leaf.
func (c *Classifier) descend(p *pkt.Packet) int32 {
	at := c.root
	for at >= 0 {
		s := &c.splits[at]
		if v, ok := c.read(&s.field, p.Link, p.Wire); ok {
			at = s.lead(v)
		} else {
			at = s.fail
		}
	}
	return ^at
}

// decide finds the matches of one packet.
func (c *Classifier) decide(l *leaf, d *decision) {
	if l.truncates(d.Link) {
		c.decideTruncated(l, d)
		return
	}
	c.follow(l.every, d)
	for i := range l.indexes {
		x := &l.indexes[i]
		if v, ok := c.read(&x.field, d.Link, d.Wire); ok {
			c.follow(x.find(v), d)
		}
	}
	for _, b := range l.byDefault {
		if d.scratch.seen.add(b) {
			c.report(b, d)
		}
	}
}
