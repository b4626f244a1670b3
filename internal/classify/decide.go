package classify

import "gomapi/internal/pkt"

// A decision is the state of deciding one packet.
type decision struct {
	*pkt.Packet
	number  uint32 // in the batch
	scratch *Scratch
	matches *Matches
}

// follow processes a list and those around it.
func (c *Classifier) follow(at uint32, d *decision) {
	for at != 0 {
		head := c.words[at:][:headWords]
		rest := c.words[at+headWords:]
		members, rest := rest[:head[0]], rest[head[0]:]
		d.matches.add(d.number, members)
		if head[1] != 0 {
			c.test(rest[:head[1]], d)
		}
		if head[2] != 0 {
			c.try(rest[head[1]:][:head[2]], d)
		}
		at = head[3]
	}
}

// test processes members that are decided by tests.
func (c *Classifier) test(words []uint32, d *decision) {
	readings, stamp := d.scratch.readings, d.scratch.seen.stamp
	for len(words) > 2 {
		member, tests := words[:1], words[2:2+testWords*words[1]]
		words = words[2+len(tests):]
		at := firstCheck
		for at >= firstCheck {
			t := tests[testWords*(at-firstCheck):][:testWords]
			r := &readings[t[2]>>16]
			if r.stamp != stamp && !c.remember(r, t[2]>>16, d) {
				at = checkRefuse
				break
			}
			at = t[2] & 0xff
			if r.value-t[0] <= t[1] {
				at = t[2] >> 8 & 0xff
			}
		}
		if at == checkAccept {
			d.matches.add(d.number, member)
		}
	}
}

// try processes the remaining postings: those of filters that match by default, those
// decided by programs, and those with many members.
func (c *Classifier) try(words []uint32, d *decision) {
	for ; len(words) >= postingWords; words = words[postingWords:] {
		k := posting{entry(words[0]), words[1]}
		b := k.entry.group()
		if !d.scratch.seen.add(b) {
			continue
		}
		switch {
		case k.entry&verify == 0:
			if k.entry&exclude != 0 {
				continue
			}
		case k.check == noCheck:
			if !c.matchesProgram(b, d.Packet) {
				continue
			}
		case !c.passes(k.check, d):
			continue
		}
		c.report(b, d)
	}
}

// passes reports whether a packet passes a check.
func (c *Classifier) passes(at uint32, d *decision) bool {
	for at >= firstCheck {
		k := &c.checks[at-firstCheck]
		r := &d.scratch.readings[k.field]
		if r.stamp != d.scratch.seen.stamp && !c.remember(r, k.field, d) {
			return false
		}
		at = k.no
		if r.value-k.lo <= k.width {
			at = k.yes
		}
	}
	return at == checkAccept
}

// remember reads a field once for all checks of a packet. It returns false if the field
// has no value.
func (c *Classifier) remember(r *reading, field uint32, d *decision) bool {
	v, ok := c.read(&c.fields[field], d.Link, d.Wire)
	if ok {
		*r = reading{value: v, stamp: d.scratch.seen.stamp}
	}
	return ok
}

// report records a match of all members of a group.
func (c *Classifier) report(b uint32, d *decision) {
	g := &c.groups[b]
	d.matches.add(d.number, c.members[g.from:g.to])
}

func (c *Classifier) matchesProgram(b uint32, p *pkt.Packet) bool {
	return c.groups[b].program.Match(p.Link, p.Wire)
}
