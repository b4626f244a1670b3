package filter

import (
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

// A leaf holds the filters that one way through the shape leaves.
type leaf struct {
	every     uint32   // list of what is done for every packet
	byDefault []uint32 // bundles that match unless an entry says otherwise
	needs     []need   // what packets must have for entries to be proven
	indexes   []index
}

const emptyLeaf int32 = 0 // no filter is left

// leafwork is what building leaves needs.
type leafwork struct {
	sample             sample
	positive, negative covering
	joined             map[string]uint32 // bundles that join groups
	indexed            map[termID]bool   // terms with an index, in this leaf
	every              []block           // what this leaf does for every packet

	indexes  int // of all leaves
	blocks   int // in them
	residued int // nodes looked at for residues
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
	w.every = w.every[:0]
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
	if len(w.every) > 0 {
		l.every = b.lists.add(w.every, 0)
	}
	b.leaves = append(b.leaves, l)
	return ^int32(len(b.leaves) - 1)
}

// plan decides which way a filter goes. Those with an index wait in plans.
func (b *builder) plan(l *leaf, f planned, known []extent, plans *[]planned) {
	if f.node == accept {
		b.forEvery(b.entry(f.bundle), noCheck)
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
		b.candidate(f)
		return
	}
	c := &w.positive
	if f.deny {
		c = &w.negative
	}
	f.atoms = slices.Clone(c.collect(f.node))
	if !w.afford(f.atoms) {
		b.stats.Candidates++
		b.candidate(f)
		return
	}
	if f.deny {
		l.byDefault = append(l.byDefault, f.bundle)
	}
	*plans = append(roomy(*plans, 1), f)
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

// enter makes the indexes of a leaf.
func (b *builder) enter(l *leaf, plans []planned, proven []extent) {
	blocks := make(map[termID][]block)
	r := newResidues(b, proven)
	for _, p := range plans {
		r.begin(p)
		for _, a := range p.atoms {
			e, check, wanted := r.entry(p, a)
			if wanted {
				blocks[a.term] = appendBlocks(blocks[a.term], a.lo, a.hi, e, check)
			}
		}
	}
	for _, t := range slices.Sorted(maps.Keys(blocks)) {
		x := index{field: b.field(t)}
		x.fill(blocks[t], &b.lists)
		l.indexes = append(l.indexes, x)
	}
}

// candidate has a filter decided for every packet of the leaf.
func (b *builder) candidate(f planned) {
	r := newResidues(b, nil)
	b.forEvery(b.entry(f.bundle)|verify, r.check(f.node))
}

func (b *builder) forEvery(e entry, check uint32) {
	b.every = append(b.every, block{entry: e, check: check})
}

// entry returns the entry that names a bundle.
func (b *builder) entry(bundle uint32) entry {
	e := entry(bundle) << entryShift
	if g := b.bundles[bundle]; g.to-g.from > fewMembers {
		e |= large
	}
	return e
}
