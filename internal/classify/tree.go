package classify

import "slices"

// Limits of the decision tree.
const (
	maxSplits    = 1024     // decisions
	maxWork      = 32 << 20 // nodes restricted
	maxHeldNodes = 16 << 20
	leastShare   = 16 // a term is split if at least 1/leastShare of the filters test it
	maxRepeats   = 8  // copies that a split makes, per filter that benefits
	fewFilters   = 64 // number of filters that may be repeated freely
)

// A budget is the amount that may be used below a split.
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

// A treeBuilder makes the decision tree.
type treeBuilder struct {
	*planner
	splits []split
}

// tree makes the tree for filters of packets with the known extents and returns the
// reference to its root. It discards the nodes that it makes.
func (b *treeBuilder) tree(filters []filter, known []extent, left budget) int32 {
	if len(filters) == 0 {
		return b.leaf(nil, nil)
	}
	before := len(b.nodes)
	defer func() { b.truncate(before) }()
	b.count(filters)
	on, parts := b.choose(len(filters), left)
	if parts.classes == nil {
		return b.leaf(filters, known)
	}
	left.work -= b.size * (len(parts.classes) + 1)
	with := union(known, b.info[on].loads)
	var branches [][]filter // rest of the filters, by class
	copies := 0
	for i, c := range parts.classes {
		branches = append(branches, b.restrictAll(filters, on, c, with))
		copies += len(branches[i])
	}
	var failing []filter // rest of the filters if the term has no value
	if b.info[on].fallible() && !b.certain(on, known) {
		failing = b.restrictAll(filters, on, nil, known)
		copies += len(failing)
	}
	if copies > left.copies {
		return b.leaf(filters, known)
	}
	left.splits -= len(parts.classes) + 1
	part := func(filters []filter) budget { return left.share(len(filters), copies) }

	at := len(b.splits)
	b.splits = append(b.splits, split{})
	s := split{field: b.fields.field(on), fail: b.tree(failing, known, part(failing)), start: parts.starts}
	first := firstAlike(branches) // now, because the order of filters changes
	places := make([]int32, len(branches))
	for i, fs := range branches {
		if first[i] < i {
			places[i] = places[first[i]]
		} else {
			places[i] = b.tree(fs, with, part(fs))
		}
	}
	for _, class := range parts.of {
		s.next = append(s.next, places[class])
	}
	s.fill(b.info[on].max)
	b.splits[at] = s
	return int32(at)
}

// firstAlike returns for each branch the first branch with the same remaining decisions:
// both lead to the same place.
func firstAlike(branches [][]filter) []int {
	first := make([]int, len(branches))
	for i, fs := range branches {
		first[i] = slices.IndexFunc(branches, func(o []filter) bool { return slices.Equal(o, fs) })
	}
	return first
}

// choose returns the term for the split and the partition of its values. The partition
// has no class if no split is worth its cost.
func (b *treeBuilder) choose(filters int, left budget) (termID, partition) {
	for _, t := range b.candidates() {
		served := int(b.byTerm[t])
		if served*leastShare < filters {
			continue
		}
		heavy := b.heavy(t)
		if len(heavy) == 0 {
			continue
		}
		parts := partitionOf(heavy, b.info[t].max)
		classes := len(parts.classes)
		work := b.size * (classes + 1)
		if classes < 2 || classes >= left.splits || work > left.work || len(b.nodes)+work > maxHeldNodes {
			continue
		}
		if filters > fewFilters && (classes-1)*(filters-served) > maxRepeats*served {
			continue
		}
		return t, parts
	}
	return 0, partition{}
}

// restrictAll returns the rest of filters when the value of a term is in a class.
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
