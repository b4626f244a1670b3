package filter

import "reflect"

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

// Stats returns what c consists of. Any goroutine may call it.
func (c *Classifier) Stats() Stats {
	s := c.stats
	s.Members = c.count
	s.Bytes = bytesOf(c.states) + bytesOf(c.leaves) + bytesOf(c.words) + bytesOf(c.checks) + bytesOf(c.fields) + bytesOf(c.trees) +
		bytesOf(c.bundles) + bytesOf(c.members) + bytesOf(c.groups) + bytesOf(c.singles)
	for i := range c.states {
		s.Bytes += bytesOf(c.states[i].start) + bytesOf(c.states[i].next)
	}
	for i := range c.leaves {
		l := &c.leaves[i]
		s.Bytes += bytesOf(l.byDefault) + bytesOf(l.needs) + bytesOf(l.indexes)
		for j := range l.indexes {
			x := &l.indexes[j]
			s.Bytes += bytesOf(x.dense) + bytesOf(x.slots) + bytesOf(x.marks) + bytesOf(x.segments) + bytesOf(x.top)
		}
	}
	return s
}

func bytesOf[T any](list []T) int { return int(reflect.TypeFor[T]().Size()) * cap(list) }
