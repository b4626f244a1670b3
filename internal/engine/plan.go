package engine

import (
	"cmp"
	"slices"

	"gomapi/drivers"
	"gomapi/internal/filter"
	"gomapi/internal/pkt"
)

// A plan says what happens to the packets of a device. The control side builds
// it and never changes it after publication; only the capture goroutine
// touches its scratch and what its levels count.
//
// Chains begin loose, each with a filter of its own, and settle in levels, which
// decide many filters at once (see settler). A closed chain stays where it is
// until the plan is tidied: the loop passes it by.
//
// Plans that follow one another share memory: what is new stands behind what the
// older ones look at. So only one plan may follow another.
type plan struct {
	gen     uint64
	chains  []*chain // all, in order of connecting
	fresh   []*chain // those that the loop may not have taken up yet
	loose   []*chain // those in no level
	levels  []*level
	tied    []*tied // those that run packet by packet, in order of creation
	tyings  uint64  // changes of tied
	expire  []*chain
	types   []uint16 // link types for which filters stand
	scratch *scratch
}

// scratch is what the loop needs to sort the hits of a batch by member. It
// passes from plan to plan and grows with the number of members.
type scratch struct {
	filters filter.Scratch
	hits    []filter.Hit
	next    []int32  // next hit of the same member, by hit; -1 ends
	head    []int32  // first hit, by member
	tail    []int32  // last hit, by member; -1: none in this batch
	touched []uint32 // members with hits
	list    []*pkt.Packet
}

// minHits is the least room for hits, in entries.
const minHits = 4096

// newPlan makes the plan that follows old, from nothing.
func newPlan(old *plan, flows []*Flow, linkTypes []uint16, fresh []*chain) *plan {
	p := &plan{
		gen: old.gen + 1, fresh: fresh,
		chains: make([]*chain, 0, len(flows)), index: make(map[string]int, len(flows)),
	}
	for _, lt := range linkTypes {
		p.types = append(p.types, typedClassifier{linkType: lt})
	}
	var leads []*applied // by member
	for _, f := range flows {
		if p.add(f.chain, f.isTied()) {
			leads = append(leads, f.chain.lead)
		}
	}
	for i := range p.types {
		t := &p.types[i]
		programs := make([]*filter.Program, len(leads))
		for m, lead := range leads {
			programs[m] = lead.classifier.Program(t.linkType)
		}
		t.Classifier = filter.NewClassifier(programs)
	}
	p.scratch = old.scratch.fit(len(p.members), p.types)
	return p
}

// with makes the plan that follows p when a flow is connected and changes nothing
// for the others. It costs the same however many flows there are: the two share their
// memory, and what is new stands behind what p looks at. Only one plan may follow
// p in this way.
func (p *plan) with(f *Flow, fresh []*chain) *plan {
	next, c := *p, f.chain
	next.gen, next.fresh = p.gen+1, fresh
	if c.lead != nil {
		if _, known := p.index[c.lead.key(p.types)]; known {
			next.members = slices.Clone(p.members) // add changes one of them
		}
	}
	if next.add(c, f.isTied()) {
		next.types = slices.Clone(p.types)
		for i := range next.types {
			t := &next.types[i]
			t.Classifier = t.With(c.lead.classifier.Program(t.linkType))
		}
		next.scratch = p.scratch.fit(len(next.members), next.types)
	}
	return &next
}

// add connects a chain. It costs the same however many there are.
func (p *plan) add(c *chain) {
	p.chains = append(p.chains, c)
	p.loose = append(p.loose, c)
	if c.expires {
		p.expire = append(p.expire, c)
	}
}

// tie puts a chain among those that run packet by packet, in the order of creation.
// Where that is not the end, the list gets memory of its own: another plan may
// look at the old one.
func (p *plan) tie(c *chain) {
	c.tied, c.alone = true, true
	p.tyings++
	t := &tied{chain: c}
	i, _ := slices.BinarySearchFunc(p.tied, c.id, func(u *tied, id int64) int { return cmp.Compare(u.id, id) })
	if i == len(p.tied) {
		p.tied = append(p.tied, t)
		return
	}
	p.tied = slices.Insert(slices.Clone(p.tied), i, t)
}

// settle moves the chains of lv from where they were: they were loose, or in
// levels that lv replaces.
func (p *plan) settle(lv *level, replaced []*level) {
	taken := func(c *chain) bool { return c.level == lv || c.closed.Load() }
	p.loose = slices.DeleteFunc(slices.Clone(p.loose), taken)
	levels := make([]*level, 0, len(p.levels)+1)
	for _, old := range p.levels {
		if !slices.Contains(replaced, old) {
			levels = append(levels, old)
		}
	}
	if lv.size > 0 {
		levels = append(levels, lv)
	}
	p.levels = levels
	p.scratch = p.scratch.fit(lv)
}

// fit returns s or, when it is too small for so many members or the classifiers,
// a larger one.
func (s *scratch) fit(members int, types []typedClassifier) *scratch {
	if s == nil || members > len(s.tail) {
		s = newScratch(members)
	} else {
		next := *s
		next.filters = filter.Scratch{}
		s = &next
	}
	for _, t := range types {
		s.filters.Fit(t.Classifier)
	}
	return s
}

func newScratch(members int) *scratch {
	n := max(members, 16) * 2
	hits := max(minHits, n)
	s := &scratch{
		hits:    make([]filter.Hit, 0, hits),
		next:    make([]int32, hits),
		head:    make([]int32, n),
		tail:    make([]int32, n),
		touched: make([]uint32, 0, n),
		list:    make([]*pkt.Packet, 0, max(hits, drivers.MaxBatch)),
	}
	for i := range s.tail {
		s.tail[i] = -1
	}
	return s
}
