package filter

// decideShort decides a packet that lacks what the leaf relies on: entries say
// whose programs are to decide.
func (c *Classifier) decideShort(l *leaf, d *decision) {
	c.followShort(l.every, d)
	for i := range l.indexes {
		x := &l.indexes[i]
		if v, ok := c.read(&x.field, d.Link, d.Wire); ok {
			c.followShort(x.find(v), d)
		}
	}
	for _, b := range l.byDefault {
		c.run(b, d)
	}
}

func (c *Classifier) followShort(at uint32, d *decision) {
	for at != 0 {
		head := c.words[at:][:headWords]
		members := c.words[at+headWords:][:head[0]]
		tests := c.words[at+headWords+head[0]:][:head[1]]
		links := c.words[at+headWords+head[0]+head[1]:][:head[2]]
		for _, m := range members {
			c.run(c.groups[m], d)
		}
		for len(tests) > 0 {
			c.run(c.groups[tests[0]], d)
			tests = tests[2+testWords*tests[1]:]
		}
		for ; len(links) > 0; links = links[linkWords:] {
			c.run(entry(links[0]).bundle(), d)
		}
		at = head[3]
	}
}

// run has the program of a bundle decide, once for a packet.
func (c *Classifier) run(b uint32, d *decision) {
	if d.scratch.first(b) && c.matchesProgram(b, d.Packet) {
		c.report(b, d)
	}
}
