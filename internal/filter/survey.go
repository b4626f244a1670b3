package filter

import "slices"

// A pending filter is a group of members and what is still to be decided of it
// at some place of the shape.
type pending struct {
	group int32
	node  nodeID
}

// A survey counts what filters test.
type survey struct {
	*nodes
	byTerm []int32 // filters that test a term, by term
	onTop  []int32 // filters whose first test is of a term
	byTest []int32 // filters that make a test
	terms  []termID
	tests  []testID
	size   int // nodes of all filters

	seenNode, seenTerm, seenTest marks
	stack                        []nodeID
}

// marks are flags that are all taken down at once.
type marks struct {
	turn uint32
	at   []uint32
}

func (m *marks) clear(size int) {
	if m.turn++; m.turn == 0 {
		m.turn = 1
		clear(m.at)
	}
	m.at = lengthened(m.at, size)
}

// set reports whether i was not set before.
func (m *marks) set(i uint32) bool {
	if m.at[i] == m.turn {
		return false
	}
	m.at[i] = m.turn
	return true
}

// count begins anew with these filters.
func (s *survey) count(filters []pending) {
	for _, t := range s.terms {
		s.byTerm[t], s.onTop[t] = 0, 0
	}
	for _, t := range s.tests {
		s.byTest[t] = 0
	}
	s.terms, s.tests, s.size = s.terms[:0], s.tests[:0], 0
	s.byTerm = lengthened(s.byTerm, len(s.nodes.list))
	s.onTop = lengthened(s.onTop, len(s.nodes.list))
	s.byTest = lengthened(s.byTest, len(s.nodes.tests))
	for _, f := range filters {
		if f.node > accept {
			s.add(f.node)
			s.onTop[s.nodes.tests[s.nodes.nodes[f.node].test].term]++
		}
	}
}

// add counts one filter.
func (s *survey) add(root nodeID) {
	s.walk(root, func(t testID) {
		s.size++
		if s.seenTest.set(uint32(t)) {
			if s.byTest[t]++; s.byTest[t] == 1 {
				s.tests = append(s.tests, t)
			}
		}
		term := s.nodes.tests[t].term
		if s.seenTerm.set(uint32(term)) {
			if s.byTerm[term]++; s.byTerm[term] == 1 {
				s.terms = append(s.terms, term)
			}
		}
	})
}

// walk calls visit with the test of each node that a filter consists of.
func (s *survey) walk(root nodeID, visit func(testID)) {
	s.seenNode.clear(len(s.nodes.nodes))
	s.seenTest.clear(len(s.nodes.tests))
	s.seenTerm.clear(len(s.nodes.list))
	s.stack = append(s.stack[:0], root)
	for len(s.stack) > 0 {
		id := s.stack[len(s.stack)-1]
		s.stack = s.stack[:len(s.stack)-1]
		if id <= accept || !s.seenNode.set(uint32(id)) {
			continue
		}
		n := s.nodes.nodes[id]
		visit(n.test)
		s.stack = append(s.stack, n.no, n.yes)
	}
}

// sizeOf returns how many nodes a filter consists of.
func (s *survey) sizeOf(root nodeID) int {
	size := 0
	s.walk(root, func(testID) { size++ })
	return size
}

// candidates returns the terms that are tested most, the best first.
func (s *survey) candidates() []termID {
	best := slices.Clone(s.terms)
	score := func(t termID) int32 { return s.byTerm[t] + s.onTop[t] }
	slices.SortFunc(best, func(a, b termID) int {
		if score(a) != score(b) {
			return int(score(b) - score(a))
		}
		return int(a - b)
	})
	return best[:min(len(best), maxCandidates)]
}

// heavy returns the tests of a term that many of its filters make; nil if they
// are too many or only ask for the presence of a value.
func (s *survey) heavy(id termID) []predicate {
	var heavy []predicate
	for _, t := range s.tests {
		v := s.nodes.tests[t]
		if v.term != id || s.nodes.isNeed(v) || s.byTest[t]*heavyShare < s.byTerm[id] {
			continue
		}
		if len(heavy) == maxHeavy {
			return nil
		}
		heavy = append(heavy, v)
	}
	return heavy
}
