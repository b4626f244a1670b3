package filter

import (
	"cmp"
	"slices"
)

// A sample takes filters for a sample of the traffic: what many of them ask for
// occurs often. So filters for many hosts and port 80 are indexed by host.
type sample struct {
	values []sampled // by term and value
	of     map[termID]span
}

// A sampled value is the lower end of what a test asks for.
type sampled struct {
	term  termID
	value uint32
	until int // filters that ask for values of the term up to this one
}

type span struct{ from, to int }

// smallSample is how many filters say nothing.
const smallSample = 64

// take takes the filters that have been counted.
func (m *sample) take(s *survey) {
	m.values = m.values[:0]
	for _, id := range s.tests {
		if t := s.nodes.tests[id]; !s.isNeed(t) {
			m.values = append(roomy(m.values, 1), sampled{t.term, t.lo, int(s.byTest[id])})
		}
	}
	slices.SortFunc(m.values, func(a, b sampled) int {
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

// share returns the part of the filters of a term that ask for values from lo to
// hi.
func (m *sample) share(id termID, lo, hi uint32) float64 {
	p := m.of[id]
	values := m.values[p.from:p.to]
	if len(values) == 0 {
		return 0
	}
	before := func(v uint64) int { // filters that ask for less
		i, _ := slices.BinarySearchFunc(values, v, func(s sampled, v uint64) int { return cmp.Compare(uint64(s.value), v) })
		if i == 0 {
			return 0
		}
		return values[i-1].until
	}
	return float64(before(uint64(hi)+1)-before(uint64(lo))) / float64(values[len(values)-1].until+smallSample)
}
