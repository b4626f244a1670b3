package filter

import (
	"cmp"
	"encoding/binary"
	"maps"
	"math"
	"slices"
)

// Bounds of leaves.
const (
	maxBlocks  = 4096     // of one filter in one leaf
	maxLinks   = 4 << 20  // of all leaves
	maxIndexes = 64 << 10 // of all leaves
)

// minPacket is what packets can be relied on to have: the least frame that
// Ethernet carries, less its check sequence and tag. Where a packet is shorter
// than the loads in a leaf that end before, nothing counts as proven.
const minPacket = 64

// A leaf holds the filters that one way through the shape leaves.
type leaf struct {
	every     uint32   // list of what is done for every packet
	byDefault []uint32 // bundles that match unless an entry says otherwise
	needs     []need   // what packets must have for entries to be proven
	indexes   []index
}

// A need is that a number of bytes were captured, behind an IPv4 header if
// header is not noHeader.
type need struct {
	header uint32 // offset of the byte with the header's length
	end    uint32
}

const noHeader = ^uint32(0)

const emptyLeaf int32 = 0 // no filter is left

// leafwork is what building leaves needs.
type leafwork struct {
	sample             sample
	positive, negative covering
	residued           int               // nodes looked at for residues
	joined             map[string]uint32 // bundles that join groups
	blocks             int               // of all leaves
	indexed            map[termID]bool   // terms with an index, in this leaf
	indexes            int               // of all leaves
}

// A planned filter is a bundle with the way that it goes in a leaf.
type planned struct {
	bundle uint32
	node   nodeID
	deny   bool
	atoms  []atom
}

// leaf makes a leaf and returns the reference to it.
func (b *builder) leaf(filters []pending, known []extent) int32 {
	if len(filters) == 0 && len(b.leaves) > 0 {
		return ^emptyLeaf
	}
	l := leaf{}
	w := &b.leafwork
	w.indexed = make(map[termID]bool)
	w.sample.take(&b.survey)
	w.positive.reset()
	w.negative.reset()
	var plans []planned
	for _, f := range b.bundle(filters) {
		b.plan(&l, f, known, &plans)
	}
	proven := known
	for _, p := range plans {
		for _, a := range p.atoms {
			proven = widen(proven, b.ordinary(b.info[a.term].loads))
		}
		if p.deny {
			proven = b.loadsOf(p.node, proven)
		}
	}
	l.needs = b.needs(known, proven)
	b.enter(&l, plans, proven)
	b.leaves = append(b.leaves, l)
	return ^int32(len(b.leaves) - 1)
}

// plan decides which way a filter goes. Those with an index wait in plans.
func (b *builder) plan(l *leaf, f planned, known []extent, plans *[]planned) {
	if f.node == accept {
		b.forEvery(l, entry(f.bundle)<<entryShift, noCheck)
		return
	}
	w := &b.leafwork
	in := w.positive.price(f.node)
	limit := in
	if in > wide {
		if out := w.negative.price(f.node); out < in && b.covered(f.node, known) {
			f.deny = true
			limit = out
		}
	}
	if math.IsInf(limit, 1) {
		b.candidate(l, f, known)
		return
	}
	c := &w.positive
	if f.deny {
		c = &w.negative
	}
	f.atoms = slices.Clone(c.collect(f.node))
	if !w.afford(f.atoms) {
		b.stats.Candidates++
		b.candidate(l, f, known)
		return
	}
	if f.deny {
		l.byDefault = append(l.byDefault, f.bundle)
	}
	*plans = append(*plans, f)
}

// afford tells whether an index may have the atoms, and counts them.
func (w *leafwork) afford(atoms []atom) bool {
	blocks := countBlocks(atoms)
	if blocks > maxBlocks || w.blocks+blocks > maxLinks || w.indexes+min(len(atoms), 64) > maxIndexes {
		return false
	}
	w.blocks += blocks
	for _, a := range atoms {
		if !w.indexed[a.term] {
			w.indexed[a.term] = true
			w.indexes++
		}
	}
	return true
}

func countBlocks(atoms []atom) int {
	n := 0
	var room [64]block
	for _, a := range atoms {
		n += len(appendBlocks(room[:0], a.lo, a.hi, 0, noCheck))
	}
	return n
}

// ordinary returns those of the extents that lie in minPacket.
func (b *builder) ordinary(loads []extent) []extent {
	if !slices.ContainsFunc(loads, func(e extent) bool { return !b.isOrdinary(e) }) {
		return loads
	}
	return slices.DeleteFunc(slices.Clone(loads), func(e extent) bool { return !b.isOrdinary(e) })
}

func (b *builder) isOrdinary(e extent) bool {
	if e.base == zeroTerm {
		return e.end <= minPacket
	}
	at, behind := b.headerAt(e.base)
	return behind && at < minPacket && e.end+20 <= minPacket
}

// covered tells whether all terms of a filter have values in ordinary packets.
func (b *builder) covered(root nodeID, known []extent) bool {
	ok := true
	b.survey.walk(root, func(t testID) {
		info := &b.info[b.nodes.tests[t].term]
		ok = ok && !info.divides && (covers(known, info.loads) || len(b.ordinary(info.loads)) == len(info.loads))
	})
	return ok
}

// loadsOf adds what the terms of a filter load.
func (b *builder) loadsOf(root nodeID, known []extent) []extent {
	b.survey.walk(root, func(t testID) { known = widen(known, b.info[b.nodes.tests[t].term].loads) })
	return known
}

// needs returns what packets must have beyond the known.
func (b *builder) needs(known, proven []extent) []need {
	var needs []need
	for _, e := range proven {
		if covers(known, []extent{e}) {
			continue
		}
		n := need{noHeader, uint32(e.end)}
		if e.base != zeroTerm {
			n.header, _ = b.headerAt(e.base)
		}
		needs = append(needs, n)
	}
	return needs
}

// enter makes the indexes of a leaf.
func (b *builder) enter(l *leaf, plans []planned, proven []extent) {
	blocks := make(map[termID][]block)
	r := residues{builder: b, known: proven, checks: make(map[nodeID]uint32), first: len(b.nodes.nodes)}
	for _, p := range plans {
		r.begin(p.node)
		plain := r.plain(p.deny)
		for _, a := range p.atoms {
			e, check, wanted := r.entry(p, a, plain[a])
			if wanted {
				blocks[a.term] = appendBlocks(blocks[a.term], a.lo, a.hi, e, check)
			}
		}
	}
	for _, t := range slices.Sorted(maps.Keys(blocks)) {
		x := index{field: b.field(t, b.Classifier)}
		b.links = x.fill(blocks[t], b.links)
		l.indexes = append(l.indexes, x)
	}
}

// entry returns the entry of an atom of a filter, with the check that goes with
// it; wanted is false if packets of the atom always come to what the filter does
// without an entry. plain atoms decide.
func (r *residues) entry(p planned, a atom, plain bool) (e entry, check uint32, wanted bool) {
	e = entry(p.bundle) << entryShift
	if len(p.atoms) > 1 {
		e |= once
	}
	against := refuse
	if p.deny {
		e |= exclude
		against = accept
	}
	if plain {
		return e, noCheck, true
	}
	rest, known := r.of(a)
	switch {
	case !known:
		return e | verify, noCheck, true
	case rest == against:
		return 0, noCheck, false
	case rest <= accept:
		return e, noCheck, true
	}
	return e | verify, r.check(rest), true
}

// candidate has a filter decided for every packet of the leaf.
func (b *builder) candidate(l *leaf, f planned, known []extent) {
	r := residues{builder: b, checks: make(map[nodeID]uint32)}
	b.forEvery(l, entry(f.bundle)<<entryShift|verify, r.check(f.node))
}

func (b *builder) forEvery(l *leaf, e entry, check uint32) {
	b.links = append(b.links, link{entry: e, check: check, next: l.every})
	l.every = uint32(len(b.links) - 1)
}

// bundle joins the groups for which the same is left to be decided.
func (b *builder) bundle(filters []pending) []planned {
	slices.SortFunc(filters, func(x, y pending) int {
		return cmp.Or(cmp.Compare(x.node, y.node), cmp.Compare(x.group, y.group))
	})
	plans := make([]planned, 0, len(filters))
	for i := 0; i < len(filters); {
		j := i + 1
		for j < len(filters) && filters[j].node == filters[i].node {
			j++
		}
		if f := filters[i]; j == i+1 || f.node == accept {
			for _, g := range filters[i:j] {
				plans = append(plans, planned{bundle: uint32(g.group), node: g.node})
			}
		} else {
			plans = append(plans, b.together(filters[i:j])...)
		}
		i = j
	}
	return plans
}

// together returns the bundle of several groups, or while memory for more is
// short the groups by themselves.
func (b *builder) together(filters []pending) []planned {
	var key []byte
	members := 0
	for _, f := range filters {
		key = binary.BigEndian.AppendUint32(key, uint32(f.group))
		members += int(b.bundles[f.group].to - b.bundles[f.group].from)
	}
	id, known := b.leafwork.joined[string(key)]
	if !known && len(b.members)+members > 4*b.Classifier.count+1<<16 {
		plans := make([]planned, 0, len(filters))
		for _, f := range filters {
			plans = append(plans, planned{bundle: uint32(f.group), node: f.node})
		}
		return plans
	}
	if !known {
		id = uint32(len(b.bundles))
		b.leafwork.joined[string(key)] = id
		all := bundle{program: b.bundles[filters[0].group].program, from: uint32(len(b.members))}
		for _, f := range filters {
			g := b.bundles[f.group]
			b.members = append(b.members, b.members[g.from:g.to]...)
		}
		all.to = uint32(len(b.members))
		b.bundles = append(b.bundles, all)
	}
	return []planned{{bundle: id, node: filters[0].node}}
}
