package filter

import "gomapi/internal/pkt"

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
