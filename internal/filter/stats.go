package filter

// Stats says what a classifier consists of.
type Stats struct {
	Members  int // filters
	Programs int // distinct ones
	States   int // decisions of the shape
	Shapes   int // leaves: kinds of packets

	// Programs that run for every packet, with the reason.
	Loops    int // they loop ("protochain")
	TooLarge int // they exceed a bound of their own
	NoBudget int // they exceed what is left for all

	// Candidates counts filters, once for each leaf, that run for every packet
	// of the leaf because their index would exceed a bound.
	Candidates int

	Bytes int // held, beside the programs
}

// Singles returns how many programs run for every packet because of a bound.
func (s Stats) Singles() int { return s.Loops + s.TooLarge + s.NoBudget }

func (s *Stats) count(why reason) {
	switch why {
	case hasLoop:
		s.Loops++
	case tooLarge:
		s.TooLarge++
	case noBudget:
		s.NoBudget++
	}
}

// Sizes of what a classifier consists of, in bytes, on 64-bit machines.
const (
	sizeState  = 1112
	sizeLeaf   = 120
	sizeIndex  = 200
	sizeLink   = 16
	sizeCheck  = 36
	sizeTerm   = 16
	sizeBundle = 16
	sizeSlot   = 8
	sizeWord   = 4
)

// Stats returns what c consists of. Any goroutine may call it.
func (c *Classifier) Stats() Stats {
	s := c.stats
	s.Members = c.count
	s.Bytes = sizeState*len(c.states) + sizeLeaf*len(c.leaves) + sizeLink*len(c.links) + sizeCheck*len(c.checks) + sizeTerm*len(c.trees) +
		sizeBundle*len(c.bundles) + sizeWord*(len(c.members)+len(c.singles))
	for i := range c.states {
		s.Bytes += 2 * sizeWord * len(c.states[i].start)
	}
	for i := range c.leaves {
		s.Bytes += c.leaves[i].bytes()
	}
	return s
}

func (l *leaf) bytes() int {
	n := sizeWord*len(l.byDefault) + 2*sizeWord*len(l.needs) + sizeIndex*len(l.indexes)
	for i := range l.indexes {
		x := &l.indexes[i]
		n += sizeWord*(len(x.dense)+len(x.starts)+len(x.heads)+len(x.top)) + sizeSlot*len(x.slots)
	}
	return n
}
