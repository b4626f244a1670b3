package filter

import (
	"math"
	"slices"
)

// Bounds of the shape.
const (
	maxStates     = 1024     // decisions
	maxWork       = 32 << 20 // nodes restricted
	maxHeldNodes  = 16 << 20
	maxCandidates = 8  // terms that are looked at for one decision
	leastShare    = 16 // a term is decided on if one filter in so many tests it
	maxRepeats    = 8  // copies that a decision makes, per filter that it serves
	fewFilters    = 64 // that may be repeated freely
)

// A state of the shape decides on one term and leads on. References are to
// states, or with all bits turned to leaves.
type state struct {
	field field
	fail  int32 // where packets go in which the field has no value
	shift uint8
	top   [256]int32 // where values lead that begin with these bits; divided: see start
	start []uint32   // of segments of values, ascending from 0
	next  []int32    // where they lead
}

// divided says that values with the same first bits lead to several places.
const divided = math.MinInt32

// lead returns where a value leads.
func (s *state) lead(v uint32) int32 {
	if to := s.top[uint8(v>>s.shift)]; to != divided {
		return to
	}
	return s.search(v)
}

func (s *state) search(v uint32) int32 {
	i := 0
	for i+1 < len(s.start) && s.start[i+1] <= v {
		i++
	}
	return s.next[i]
}

// A budget is what may be spent below a state.
type budget struct {
	states int
	copies int // filters in all leaves
	work   int // nodes restricted
}

// share returns the part of the budget for n of all filters.
func (b budget) share(n, all int) budget {
	part := func(of int) int { return int(int64(of) * int64(n) / int64(max(all, 1))) }
	return budget{part(b.states), part(b.copies), part(b.work)}
}

// A branch is one class of a split with the filters that it leaves.
type branch struct {
	class   class // nil: the term has no value
	filters []pending
}

// shape decides filters of packets that have the extents, and returns the
// reference to where it begins. It gives up the nodes that it makes.
func (b *builder) shape(filters []pending, known []extent, left budget) int32 {
	if len(filters) == 0 {
		return b.leaf(nil, nil)
	}
	before := len(b.nodes.nodes)
	defer func() { b.truncate(before) }()
	b.survey.count(filters)
	on, classes := b.choose(len(filters), left)
	if classes == nil {
		return b.leaf(filters, known)
	}
	left.work -= b.survey.size * (len(classes) + 1)
	with := widen(known, b.info[on].loads)
	var branches []branch
	copies := 0
	for _, c := range classes {
		branches = append(branches, branch{c, b.restrictAll(filters, on, c, with)})
		copies += len(branches[len(branches)-1].filters)
	}
	failing := branch{}
	if b.info[on].fallible() && !b.certain(on, known) {
		failing.filters = b.restrictAll(filters, on, nil, known)
		copies += len(failing.filters)
	}
	if copies > left.copies {
		return b.leaf(filters, known)
	}
	left.states -= len(classes) + 1
	return b.decide(on, branches, failing, known, left, copies)
}

// choose returns the term to decide on and the classes of its values; nil if
// no decision is worth it.
func (b *builder) choose(filters int, left budget) (termID, []class) {
	for _, t := range b.survey.candidates() {
		served := int(b.survey.byTerm[t])
		if served*leastShare < filters {
			continue
		}
		heavy := b.survey.heavy(t)
		if len(heavy) == 0 {
			continue
		}
		classes := classesOf(heavy, b.info[t].max)
		work := b.survey.size * (len(classes) + 1)
		if len(classes) < 2 || len(classes) >= left.states || work > left.work || len(b.nodes.nodes)+work > maxHeldNodes {
			continue
		}
		if filters > fewFilters && (len(classes)-1)*(filters-served) > maxRepeats*served {
			continue
		}
		return t, classes
	}
	return 0, nil
}

// restrictAll returns what is left of filters when the value of a term is in a
// class.
func (b *builder) restrictAll(filters []pending, on termID, c class, known []extent) []pending {
	b.memo.clear(len(b.nodes.nodes))
	r := restriction{nodes: b.nodes, term: on, class: c, known: known, memo: &b.memo}
	var rest []pending
	for _, f := range filters {
		if n := r.restrict(f.node); n != refuse {
			rest = append(roomy(rest, 1), pending{f.group, n})
		}
	}
	return rest
}

// decide makes a state.
func (b *builder) decide(on termID, branches []branch, failing branch, known []extent, left budget, copies int) int32 {
	at := len(b.states)
	b.states = append(b.states, state{})
	s := state{field: b.field(on)}
	s.fail = b.shape(failing.filters, known, left.share(len(failing.filters), copies))
	with := widen(known, b.info[on].loads)
	like := alike(branches)
	places := make([]int32, len(branches))
	classes := make([]class, len(branches))
	for i, br := range branches {
		classes[i] = br.class
		if like[i] < i {
			places[i] = places[like[i]]
			continue
		}
		places[i] = b.shape(br.filters, with, left.share(len(br.filters), copies))
	}
	starts, of := segmentsOf(classes)
	for i, lo := range starts {
		s.start, s.next = append(s.start, lo), append(s.next, places[of[i]])
	}
	s.fill(b.info[on].max)
	b.states[at] = s
	return int32(at)
}

// alike returns for each branch the first one that leaves the same to be decided:
// they lead to the same place.
func alike(branches []branch) []int {
	first := make([]int, len(branches))
	for i, br := range branches {
		first[i] = slices.IndexFunc(branches, func(o branch) bool { return slices.Equal(o.filters, br.filters) })
	}
	return first
}

// fill makes the table over the first bits of values up to limit.
func (s *state) fill(limit uint32) {
	for limit>>s.shift > 255 {
		s.shift++
	}
	for i := range s.top {
		low := uint32(i) << s.shift
		high := low | (1<<s.shift - 1)
		s.top[i] = s.search(low)
		for j, start := range s.start {
			if low < start && start <= high && s.next[j] != s.top[i] {
				s.top[i] = divided
				break
			}
		}
	}
}
