package classify

import "slices"

// Limits of classes.
const (
	maxClasses = 32
	maxHeavy   = 64 // tests that make the classes; a signature has this many bits
	heavyShare = 32 // a test counts if at least 1/heavyShare of the term's filters make it
)

// An interval is a range of values, including both ends.
type interval struct{ lo, hi uint32 }

// A class is a set of values of a term that the heavy tests do not distinguish: disjoint
// intervals in ascending order.
type class []interval

// relation is the position of a class relative to an interval.
type relation uint8

const (
	outside relation = iota
	inside
	partly
)

func (c class) relation(lo, hi uint32) relation {
	in := 0
	for _, s := range c {
		switch {
		case lo <= s.lo && s.hi <= hi:
			in++
		case lo <= s.hi && s.lo <= hi:
			return partly
		}
	}
	switch in {
	case 0:
		return outside
	case len(c):
		return inside
	}
	return partly
}

// A partition is the set of classes into which tests divide the values of a term.
type partition struct {
	classes []class
	starts  []uint32 // of all intervals, ascending from 0
	of      []int    // the class of each
}

// partitionOf returns the partition of the values up to limit. It has no class if there
// would be too many.
func partitionOf(heavy []predicate, limit uint32) (p partition) {
	p.starts = []uint32{0}
	for _, t := range heavy {
		p.starts = append(p.starts, t.lo)
		if t.hi < limit {
			p.starts = append(p.starts, t.hi+1)
		}
	}
	slices.Sort(p.starts)
	p.starts = slices.Compact(p.starts)
	index := make(map[uint64]int)
	for i, lo := range p.starts {
		hi := limit
		if i+1 < len(p.starts) {
			hi = p.starts[i+1] - 1
		}
		signature := uint64(0)
		for bit, t := range heavy {
			if t.lo <= lo && lo <= t.hi {
				signature |= 1 << bit
			}
		}
		at, known := index[signature]
		if !known {
			if at = len(p.classes); at == maxClasses {
				return partition{}
			}
			index[signature] = at
			p.classes = append(p.classes, nil)
		}
		p.classes[at], p.of = append(p.classes[at], interval{lo, hi}), append(p.of, at)
	}
	return p
}

// A restriction restricts nodes to what is known of a term: its value is in a class or,
// if the class is nil, it has no value.
type restriction struct {
	*diagram
	term  termID
	class class
	known []extent // of the packets in which it has a value
	memo  *memo
}

// restrict returns the node that makes the same decisions without tests of the term: the
// cofactor.
func (r *restriction) restrict(id nodeID) nodeID {
	if id <= accept {
		return id
	}
	if r.memo.has(uint32(id)) {
		return r.memo.node[id]
	}
	n := r.nodes[id]
	t := r.tests[n.test]
	relation := partly
	if r.class != nil && t.term == r.term {
		relation = r.class.relation(t.lo, t.hi)
	}
	result := refuse
	switch {
	case r.class == nil && r.implies(t.term, r.term):
	case relation == inside:
		result = r.restrict(n.yes)
	case relation == outside:
		result = r.restrict(n.no)
	default:
		result = r.join(t, r.restrict(n.yes), r.restrict(n.no), r.known)
	}
	r.memo.add(uint32(id))
	r.memo.node[id] = result
	return result
}

// memo maps nodes to nodes.
type memo struct {
	set
	node []nodeID
}

func (m *memo) clear(size int) {
	m.set.clear(size)
	m.node = resize(m.node, size)
}
