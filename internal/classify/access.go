package classify

import (
	"maps"
	"math"
	"slices"
)

// Limits of leaves.
const (
	maxBlocks    = 4096     // of one filter in one leaf
	maxAllBlocks = 4 << 20  // of all leaves
	maxIndexes   = 64 << 10 // of all leaves
)

// An access is the way in which a filter is found in a leaf; the access path of a query
// planner.
type access struct {
	filter
	payer   uint32      // user who pays for it
	negated bool        // the filter matches by default; the cover is for its refusals
	cover   []predicate // access predicates
}

// A planner makes leaves.
type planner struct {
	statistics
	selectivity        selectivity
	positive, negative coverSearch
	groups             joiner
	owners             *owners
	shares             *shares
	fields             fieldBuilder
	memo               memo
	residuals          residuals
	lists              postingLists
	leaves             []leaf

	// These are for the current leaf.
	indexed map[termID]bool // terms with an index
	every   []block         // what the leaf does for every packet
	paths   []access        // filters that get an index

	unindexed int // filters whose index would exceed a limit
}

func newPlanner(d *diagram, groups groupSet, o *owners, s *shares) *planner {
	p := &planner{
		statistics: statistics{diagram: d},
		groups:     joiner{groups, make(map[string]uint32)},
		owners:     o,
		shares:     s,
		fields:     newFieldBuilder(d),
		lists:      postingLists{list: make([]postingList, 1)},
	}
	p.positive = coverSearch{statistics: &p.statistics, selectivity: &p.selectivity, goal: accept}
	p.negative = coverSearch{statistics: &p.statistics, selectivity: &p.selectivity, goal: refuse}
	p.residuals = residuals{statistics: &p.statistics, fields: &p.fields, memo: &p.memo, shares: s}
	p.leaf(nil, nil) // emptyLeaf
	return p
}

// leaf makes a leaf of filters that have been counted, and returns the reference to the
// leaf.
func (p *planner) leaf(filters []filter, known []extent) int32 {
	if len(filters) == 0 && len(p.leaves) > 0 {
		return ^emptyLeaf
	}
	l := leaf{}
	p.indexed = make(map[termID]bool)
	p.every, p.paths = p.every[:0], p.paths[:0]
	p.selectivity.take(&p.statistics)
	p.positive.reset()
	p.negative.reset()
	p.residuals.beginLeaf()
	for _, f := range p.groups.join(filters) {
		p.plan(&l, f, known)
	}
	proven := known
	for _, a := range p.paths {
		for _, c := range a.cover {
			proven = union(proven, p.reliable(p.info[c.term].loads))
		}
		if a.negated {
			p.walk(a.node, func(t testID) { proven = union(proven, p.info[p.tests[t].term].loads) })
		}
	}
	l.lengths = p.minLengths(known, proven)
	p.index(&l, proven)
	if len(p.every) > 0 {
		l.every = p.lists.add(p.every, 0)
	}
	p.leaves = append(p.leaves, l)
	return ^int32(len(p.leaves) - 1)
}

// plan decides how a filter is found. Filters with an index wait in paths.
func (p *planner) plan(l *leaf, f filter, known []extent) {
	if f.node == accept {
		p.forEvery(f, 0, noCheck)
		return
	}
	a, search := access{filter: f}, &p.positive
	cost := search.price(f.node)
	if cost > wide {
		if out := p.negative.price(f.node); out < cost && p.hasValues(f.node, known) {
			a.negated, search, cost = true, &p.negative, out
		}
	}
	if math.IsInf(cost, 1) {
		p.forEvery(f, verify, p.residuals.check(f.node, p.anyOwner(f)))
		return
	}
	a.cover = slices.Clone(search.collect(f.node))
	if !p.afford(&a) {
		p.unindexed++
		p.forEvery(f, verify, p.residuals.check(f.node, a.payer))
		return
	}
	if a.negated {
		l.byDefault = append(l.byDefault, f.group)
	}
	p.paths = append(grow(p.paths, 1), a)
}

// hasValues reports whether all terms of a filter have values in packets that are not
// truncated.
func (p *planner) hasValues(root nodeID, known []extent) bool {
	ok := true
	p.walk(root, func(t testID) {
		info := &p.info[p.tests[t].term]
		ok = ok && !info.divides && (covers(known, info.loads) || len(p.reliable(info.loads)) == len(info.loads))
	})
	return ok
}

// afford reports whether indexes may contain the cover of a filter, and sets its payer.
func (p *planner) afford(a *access) bool {
	fresh := p.fresh(a.cover)
	cost := amounts{ofBlocks: countBlocks(a.cover), ofIndexes: len(fresh)}
	a.payer = p.payer(a.filter, cost)
	if cost[ofBlocks] <= maxBlocks && p.shares.take(a.payer, cost) {
		return true
	}
	for _, t := range fresh {
		delete(p.indexed, t)
	}
	return false
}

// fresh returns the terms of a cover that have no index yet, and notes that they have one.
func (p *planner) fresh(cover []predicate) (fresh []termID) {
	for _, c := range cover {
		if !p.indexed[c.term] {
			p.indexed[c.term] = true
			fresh = append(fresh, c.term)
		}
	}
	return fresh
}

// payer returns a user of the filter who can pay the cost, if there is one.
func (p *planner) payer(f filter, cost amounts) (payer uint32) {
	payer = p.anyOwner(f)
	g := p.groups.groups[f.group]
	p.owners.each(p.groups.members[g.from:g.to], func(user uint32) bool {
		can := p.shares.can(user, cost)
		if can {
			payer = user
		}
		return !can
	})
	return payer
}

// anyOwner returns a user of the filter.
func (p *planner) anyOwner(f filter) (owner uint32) {
	g := p.groups.groups[f.group]
	p.owners.each(p.groups.members[g.from:g.to], func(user uint32) bool { owner = user; return false })
	return owner
}

// index makes the indexes of a leaf.
func (p *planner) index(l *leaf, proven []extent) {
	blocks := make(map[termID][]block)
	p.residuals.beginFilters(proven)
	for _, a := range p.paths {
		p.residuals.begin(a)
		for _, c := range a.cover {
			if k, wanted := p.residuals.posting(p.entry(a.filter), a.negated, c); wanted {
				blocks[c.term] = appendBlocks(blocks[c.term], c.lo, c.hi, k)
			}
		}
	}
	for _, t := range slices.Sorted(maps.Keys(blocks)) {
		x := index{field: p.fields.field(t)}
		x.fill(blocks[t], &p.lists)
		l.indexes = append(l.indexes, x)
	}
}

// forEvery makes the leaf decide a filter for every packet.
func (p *planner) forEvery(f filter, how entry, check uint32) {
	p.every = append(p.every, block{posting: posting{p.entry(f) | how, check}})
}

func (p *planner) entry(f filter) entry { return newEntry(f.group, p.groups.groups[f.group]) }
