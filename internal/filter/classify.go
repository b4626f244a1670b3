package filter

import "gomapi/internal/pkt"

// Scratch is what one goroutine needs to use classifiers. Its zero value is
// ready for Fit.
type Scratch struct {
	turn     uint32    // of the packet
	seen     []uint32  // turn of the packet for which a bundle was dealt with
	readings []reading // of the fields that checks ask for
	fetched  uint32
}

// A reading is the value of a field in the packet of a turn.
type reading struct{ value, turn uint32 }

// Fit makes s large enough for c. It allocates, so it belongs before the first
// packet.
func (s *Scratch) Fit(c *Classifier) {
	if len(s.seen) >= len(c.bundles) && len(s.readings) >= len(c.fields) {
		return
	}
	s.seen = make([]uint32, max(len(s.seen), len(c.bundles)+len(c.bundles)/4))
	s.readings = make([]reading, max(len(s.readings), len(c.fields)))
	s.turn = 0
}

// next begins a packet.
func (s *Scratch) next() {
	if s.turn++; s.turn == 0 {
		s.turn = 1
		clear(s.seen)
		clear(s.readings)
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

// fetch looks at the headers of packets before the first of them is decided: they
// are not in the cache, and so the processor waits for many at a time instead of
// for each by itself.
func (s *Scratch) fetch(pkts []pkt.Packet) {
	var sum uint32
	for i := range pkts {
		if data := pkts[i].Link; len(data) >= minPacket {
			sum += uint32(data[12]) + uint32(data[minPacket-1])
		}
	}
	s.fetched = sum
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

// follow deals with a list and those around it.
func (c *Classifier) follow(at uint32, s *Scratch, p *pkt.Packet, packet uint32, hits []Hit) []Hit {
	for at != 0 {
		l := &c.lists.list[at]
		plain := c.lists.plain[l.plain:l.plainEnd]
		n := len(hits)
		hits = hits[:n+len(plain)]
		for i, out := 0, hits[n:]; i < len(plain) && i < len(out); i++ {
			out[i] = Hit{Packet: packet, Member: plain[i]}
		}
		links := c.lists.links[l.links:l.tests]
		for i := range links {
			if k := &links[i]; s.first(k.entry.bundle()) {
				hits = c.emit(k, packet, hits)
			}
		}
		if l.tests != l.rest {
			hits = c.test(c.lists.links[l.tests:l.rest], s, p, packet, hits)
		}
		if l.rest != l.linksEnd {
			hits = c.try(c.lists.links[l.rest:l.linksEnd], s, p, packet, hits)
		}
		at = l.around
	}
	return hits
}

// emit appends the hits of a link.
func (c *Classifier) emit(k *link, packet uint32, hits []Hit) []Hit {
	if k.count == 1 {
		return append(hits, Hit{Packet: packet, Member: k.member})
	}
	return c.appendAll(k, packet, hits)
}

func (c *Classifier) appendAll(k *link, packet uint32, hits []Hit) []Hit {
	for _, m := range c.members[k.member : k.member+k.count] {
		hits = append(hits, Hit{Packet: packet, Member: m})
	}
	return hits
}

// test deals with links that checks decide.
func (c *Classifier) test(links []link, s *Scratch, p *pkt.Packet, packet uint32, hits []Hit) []Hit {
	checks, readings, turn := c.checks, s.readings, s.turn
	for i := range links {
		k := &links[i]
		at := k.check
		for at >= firstCheck {
			t := &checks[at-firstCheck]
			r := &readings[t.field]
			if r.turn != turn && !c.remember(r, t.field, s, p) {
				at = checkRefuse
				break
			}
			at = t.no
			if r.value-t.lo <= t.width {
				at = t.yes
			}
		}
		if at == checkAccept && (k.entry&once == 0 || s.first(k.entry.bundle())) {
			hits = c.emit(k, packet, hits)
		}
	}
	return hits
}

// try deals with the links that are left: those of filters that match by default,
// those that programs decide, and those with many members.
func (c *Classifier) try(links []link, s *Scratch, p *pkt.Packet, packet uint32, hits []Hit) []Hit {
	for i := range links {
		k := &links[i]
		b := k.entry.bundle()
		switch {
		case k.entry&(once|exclude) != 0 && !s.first(b):
			continue
		case k.entry&verify == 0:
			if k.entry&exclude != 0 {
				continue
			}
		case k.check == noCheck:
			if !c.matches(b, p) {
				continue
			}
		case !c.passes(k.check, s, p):
			continue
		}
		hits = c.emit(k, packet, hits)
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
