package classify

import (
	"cmp"
	"slices"
)

// A selectivity estimates the fraction of packets that a predicate accepts. It treats the
// filters as a sample of the traffic: values that many filters ask for occur often. So
// filters for many hosts and port 80 are indexed by host.
type selectivity struct {
	values []valueCount // by term and value
	of     map[termID]span
}

// A valueCount counts filters by the lower end of the interval of a test.
type valueCount struct {
	term  termID
	value uint32
	until int // filters that ask for values of the term up to this one
}

type span struct{ from, to int }

// smallCount is the number of filters below which an estimate says nothing.
const smallCount = 64

// take takes the values from the counted filters.
func (m *selectivity) take(s *statistics) {
	m.values = m.values[:0]
	for _, id := range s.allTests {
		if t := s.tests[id]; !s.isPresence(t) {
			m.values = append(grow(m.values, 1), valueCount{t.term, t.lo, int(s.byTest[id])})
		}
	}
	slices.SortFunc(m.values, func(a, b valueCount) int {
		return cmp.Or(cmp.Compare(a.term, b.term), cmp.Compare(a.value, b.value))
	})
	m.of = make(map[termID]span)
	for i := 0; i < len(m.values); {
		term, from, sum := m.values[i].term, i, 0
		for ; i < len(m.values) && m.values[i].term == term; i++ {
			sum += m.values[i].until
			m.values[i].until = sum
		}
		m.of[term] = span{from, i}
	}
}

// share returns the fraction of a term's filters that ask for values of a predicate.
func (m *selectivity) share(p predicate) float64 {
	of := m.of[p.term]
	values := m.values[of.from:of.to]
	if len(values) == 0 {
		return 0
	}
	before := func(v uint64) int { // filters that ask for smaller values
		i, _ := slices.BinarySearchFunc(values, v, func(s valueCount, v uint64) int { return cmp.Compare(uint64(s.value), v) })
		if i == 0 {
			return 0
		}
		return values[i-1].until
	}
	return float64(before(uint64(p.hi)+1)-before(uint64(p.lo))) / float64(values[len(values)-1].until+smallCount)
}
