package classify

import "slices"

// Bounds of the decision tree.
const (
	maxSplits     = 1024     // decisions
	maxWork       = 32 << 20 // nodes restricted
	maxHeldNodes  = 16 << 20
	leastShare    = 16 // a term is decided on if one filter in so many tests it
	maxRepeats    = 8  // copies that a decision makes, per filter that it serves
	fewFilters    = 64 // that may be repeated freely
)

// A budget is what may be spent below a split.
type budget struct {
	splits int
	copies int // filters in all leaves
	work   int // nodes restricted
}

// share returns the part of the budget for n of all filters.
func (b budget) share(n, all int) budget {
	part := func(of int) int { return int(int64(of) * int64(n) / int64(max(all, 1))) }
	return budget{part(b.splits), part(b.copies), part(b.work)}
}

// A branch is one class of a split with the filters that it leaves.
type branch struct {
	class   class // nil: the term has no value
	filters []filter
}

// A treeBuilder makes the decision tree.
type treeBuilder struct {
	*planner
	splits []split
}

// tree decides filters of packets that have the extents, and returns the
// reference to its root. It gives up the nodes that it makes.
func (b *treeBuilder) tree(filters []filter, known []extent, left budget) int32 {
	if len(filters) == 0 {
		return b.leaf(nil, nil)
	}
	before := len(b.nodes)
	defer func() { b.truncate(before) }()
	b.count(filters)
	on, classes := b.choose(len(filters), left)
	if classes == nil {
		return b.leaf(filters, known)
	}
	left.work -= b.size * (len(classes) + 1)
	with := union(known, b.info[on].loads)
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
	left.splits -= len(classes) + 1
	return b.decide(on, branches, failing, known, left, copies)
}

// choose returns the term to decide on and the classes of its values; nil if
// no decision is worth it.
func (b *treeBuilder) choose(filters int, left budget) (termID, []class) {
	for _, t := range b.candidates() {
		served := int(b.byTerm[t])
		if served*leastShare < filters {
			continue
		}
		heavy := b.heavy(t)
		if len(heavy) == 0 {
			continue
		}
		classes := classesOf(heavy, b.info[t].max)
		work := b.size * (len(classes) + 1)
		if len(classes) < 2 || len(classes) >= left.splits || work > left.work || len(b.nodes)+work > maxHeldNodes {
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
func (b *treeBuilder) restrictAll(filters []filter, on termID, c class, known []extent) []filter {
	b.memo.clear(len(b.nodes))
	r := restriction{diagram: b.diagram, term: on, class: c, known: known, memo: &b.memo}
	var rest []filter
	for _, f := range filters {
		if n := r.restrict(f.node); n != refuse {
			rest = append(grow(rest, 1), filter{f.group, n})
		}
	}
	return rest
}

// decide makes a split.
func (b *treeBuilder) decide(on termID, branches []branch, failing branch, known []extent, left budget, copies int) int32 {
	at := len(b.splits)
	b.splits = append(b.splits, split{})
	s := split{field: b.fields.field(on)}
	s.fail = b.tree(failing.filters, known, left.share(len(failing.filters), copies))
	with := union(known, b.info[on].loads)
	like := alike(branches)
	places := make([]int32, len(branches))
	classes := make([]class, len(branches))
	for i, br := range branches {
		classes[i] = br.class
		if like[i] < i {
			places[i] = places[like[i]]
			continue
		}
		places[i] = b.tree(br.filters, with, left.share(len(br.filters), copies))
	}
	starts, of := intervalsOf(classes)
	for i, lo := range starts {
		s.start, s.next = append(s.start, lo), append(s.next, places[of[i]])
	}
	s.fill(b.info[on].max)
	b.splits[at] = s
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
