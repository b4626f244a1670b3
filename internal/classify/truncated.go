package classify

// decideTruncated decides a packet that is too short for the assumptions of the leaf.
// Entries say which programs must decide.
func (c *Classifier) decideTruncated(l *leaf, d *decision) {
	c.followTruncated(l.every, d)
	for i := range l.indexes {
		x := &l.indexes[i]
		if v, ok := c.read(&x.field, d.Link, d.Wire); ok {
			c.followTruncated(x.find(v), d)
		}
	}
	for _, b := range l.byDefault {
		c.run(b, d)
	}
}

func (c *Classifier) followTruncated(at uint32, d *decision) {
	for at != 0 {
		head := c.words[at:][:headWords]
		members := c.words[at+headWords:][:head[0]]
		tests := c.words[at+headWords+head[0]:][:head[1]]
		postings := c.words[at+headWords+head[0]+head[1]:][:head[2]]
		for _, m := range members {
			c.run(c.groupOf[m], d)
		}
		for len(tests) > 0 {
			c.run(c.groupOf[tests[0]], d)
			tests = tests[2+testWords*tests[1]:]
		}
		for ; len(postings) > 0; postings = postings[postingWords:] {
			c.run(entry(postings[0]).group(), d)
		}
		at = head[3]
	}
}

// run runs the program of a group, once for a packet.
func (c *Classifier) run(b uint32, d *decision) {
	if d.scratch.seen.add(b) && c.matchesProgram(b, d.Packet) {
		c.report(b, d)
	}
}
