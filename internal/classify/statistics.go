package classify

import (
	"cmp"
	"slices"
)

// A filter is a group of members, and the node that is still to be decided for them at
// some place of the decision tree.
type filter struct {
	group uint32
	node  nodeID
}

// Statistics count the tests of filters.
type statistics struct {
	*diagram
	byTerm   []int32 // filters that test a term
	onTop    []int32 // filters whose first test is of a term
	byTest   []int32 // filters that make a test
	allTerms []termID
	allTests []testID
	size     int // nodes of all filters

	seenNode, seenTerm, seenTest set
	stack                        []nodeID
}

// count starts again with these filters.
func (s *statistics) count(filters []filter) {
	for _, t := range s.allTerms {
		s.byTerm[t], s.onTop[t] = 0, 0
	}
	for _, t := range s.allTests {
		s.byTest[t] = 0
	}
	s.allTerms, s.allTests, s.size = s.allTerms[:0], s.allTests[:0], 0
	s.byTerm = resize(s.byTerm, len(s.list))
	s.onTop = resize(s.onTop, len(s.list))
	s.byTest = resize(s.byTest, len(s.tests))
	for _, f := range filters {
		if f.node > accept {
			s.add(f.node)
			s.onTop[s.tests[s.nodes[f.node].test].term]++
		}
	}
}

// add counts one filter.
func (s *statistics) add(root nodeID) {
	s.walk(root, func(t testID) {
		s.size++
		if s.seenTest.add(uint32(t)) {
			if s.byTest[t]++; s.byTest[t] == 1 {
				s.allTests = append(s.allTests, t)
			}
		}
		term := s.tests[t].term
		if s.seenTerm.add(uint32(term)) {
			if s.byTerm[term]++; s.byTerm[term] == 1 {
				s.allTerms = append(s.allTerms, term)
			}
		}
	})
}

// walk calls visit with the test of each node of a filter.
func (s *statistics) walk(root nodeID, visit func(testID)) {
	s.seenNode.clear(len(s.nodes))
	s.seenTest.clear(len(s.tests))
	s.seenTerm.clear(len(s.list))
	s.stack = append(s.stack[:0], root)
	for len(s.stack) > 0 {
		id := s.stack[len(s.stack)-1]
		s.stack = s.stack[:len(s.stack)-1]
		if id <= accept || !s.seenNode.add(uint32(id)) {
			continue
		}
		n := s.nodes[id]
		visit(n.test)
		s.stack = append(s.stack, n.no, n.yes)
	}
}

// sizeOf returns the number of nodes of a filter.
func (s *statistics) sizeOf(root nodeID) int {
	size := 0
	s.walk(root, func(testID) { size++ })
	return size
}

// maxCandidates is the number of terms considered for one split.
const maxCandidates = 8

// candidates returns the terms that most filters test, the best first.
func (s *statistics) candidates() []termID {
	best := slices.Clone(s.allTerms)
	score := func(t termID) int32 { return s.byTerm[t] + s.onTop[t] }
	slices.SortFunc(best, func(a, b termID) int { return cmp.Or(cmp.Compare(score(b), score(a)), cmp.Compare(a, b)) })
	return best[:min(len(best), maxCandidates)]
}

// heavy returns the tests of a term that many of its filters make. It returns nil if
// there are too many, or if they ask only for the presence of a value.
func (s *statistics) heavy(id termID) []predicate {
	var heavy []predicate
	for _, t := range s.allTests {
		v := s.tests[t]
		if v.term != id || s.isPresence(v) || s.byTest[t]*heavyShare < s.byTerm[id] {
			continue
		}
		if len(heavy) == maxHeavy {
			return nil
		}
		heavy = append(heavy, v)
	}
	return heavy
}
