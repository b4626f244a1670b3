package classify

// Possible returns for each member whether some packet could match it. It is false for filters
// that contradict themselves, as far as making the classifier has found this out, and for those
// without a program.
func (c *Classifier) Possible() []bool {
	members, groups := make([]bool, c.Len()), make([]bool, len(c.groups))
	report := func(b uint32) {
		if groups[b] {
			return
		}
		groups[b] = true
		for _, m := range c.members[c.groups[b].from:c.groups[b].to] {
			members[m] = true
		}
	}
	for _, b := range c.singles {
		report(b)
	}
	for i := range c.leaves {
		for _, b := range c.leaves[i].byDefault {
			report(b)
		}
	}
	for words := c.words; len(words) > 0; {
		head, rest := words[:headWords], words[headWords:]
		for _, m := range rest[:head[0]] {
			members[m] = true
		}
		tests := rest[head[0]:][:head[1]]
		for len(tests) > 0 {
			members[tests[0]] = true
			tests = tests[2+testWords*tests[1]:]
		}
		postings := rest[head[0]+head[1]:][:head[2]]
		for ; len(postings) > 0; postings = postings[postingWords:] {
			report(entry(postings[0]).group())
		}
		words = rest[head[0]+head[1]+head[2]:]
	}
	return members
}
