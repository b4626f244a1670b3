package classify

import "slices"

// Fields returns the number of fields that checks read.
func (c *Classifier) Fields() int { return len(c.fields) }

// Everywhere returns the members whose filters run for every packet, at least of some leaf, because
// of a limit.
func (c *Classifier) Everywhere() (members []uint32) {
	add := func(b uint32) {
		members = append(members, c.members[c.groups[b].from:c.groups[b].to]...)
	}
	for _, b := range c.singles {
		add(b)
	}
	for i := range c.leaves {
		head := c.words[c.leaves[i].every:][:headWords]
		rest := c.words[c.leaves[i].every+headWords:]
		for tests := rest[head[0]:][:head[1]]; len(tests) > 0; tests = tests[2+testWords*tests[1]:] {
			members = append(members, tests[0])
		}
		for postings := rest[head[0]+head[1]:][:head[2]]; len(postings) > 0; postings = postings[postingWords:] {
			add(entry(postings[0]).group())
		}
	}
	slices.Sort(members)
	return slices.Compact(members)
}
