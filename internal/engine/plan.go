package engine

import (
	"cmp"
	"slices"
	"strings"

	"gomapi/internal/filter"
	"gomapi/internal/pkt"
)

// A plan says what happens to the packets of a device. The control side builds
// it and never changes it after publication; only the capture goroutine
// touches its scratch.
type plan struct {
	gen    uint64
	chains []*chain // all, in order of connecting
	fresh  []*chain // those that the loop may not have adopted yet
	// open are the chains that see every packet, members those behind a
	// leading filter: one member per distinct filter, with all its chains.
	open    []*chain
	members []member
	tied    []*tied        // those that run packet by packet, in neither of the two
	index   map[string]int // leading filter -> member; for the control side
	types   []typedClassifier
	expire  []*chain // with functions that act on the passing of time
	scratch *scratch
	filters *filter.Scratch // of the classifiers; only the loop looks into it
}

// A member is a leading filter with its chains.
type member struct {
	free []*chain // run with lists of packets
	tied []*tied
}

// typedClassifier decides the leading filters for packets of one link type.
// Its members are those of the plan.
type typedClassifier struct {
	linkType uint16
	programs []*filter.Program // by member
	*filter.Classifier
}

// scratch is what the loop needs to sort the hits of a batch by member. It
// passes from plan to plan and grows with the number of members.
type scratch struct {
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
		t.programs = make([]*filter.Program, len(leads))
		for m, lead := range leads {
			t.programs[m] = lead.classifier.Program(t.linkType)
		}
		t.Classifier = filter.NewClassifier(t.programs)
	}
	p.scratch, p.filters = old.scratch.fit(len(p.members)), scratchFor(p.types)
	return p
}

// with makes the plan that follows p when a flow is connected and changes nothing
// for the others. The two share their memory, and what is new stands behind what p
// looks at; a new filter has the classifiers made again. Only one plan may follow p in
// this way.
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
			t.programs = append(t.programs, c.lead.classifier.Program(t.linkType))
			t.Classifier = filter.NewClassifier(t.programs)
		}
		next.scratch, next.filters = p.scratch.fit(len(next.members)), scratchFor(next.types)
	}
	return &next
}

// add puts a chain at its place, and reports whether its leading filter is a new
// member, for which the classifiers do not stand yet.
func (p *plan) add(c *chain, tie bool) (isNew bool) {
	p.chains = append(p.chains, c)
	if c.expires {
		p.expire = append(p.expire, c)
	}
	var t *tied
	if c.tied = tie; tie {
		t = &tied{chain: c}
		p.tie(t)
	}
	if c.lead == nil {
		if t == nil {
			p.open = append(p.open, c)
		}
		return false
	}
	key := c.lead.key(p.types)
	m, known := p.index[key]
	if !known {
		m = len(p.members)
		p.index[key] = m
		p.members = append(p.members, member{})
	}
	if t != nil {
		p.members[m].tied = append(p.members[m].tied, t)
	} else {
		p.members[m].free = append(p.members[m].free, c)
	}
	return !known
}

// tie puts a tied chain at its place in the order of creation. Where that is not
// the end, the list gets memory of its own: another plan may look at the old one.
func (p *plan) tie(t *tied) {
	i, _ := slices.BinarySearchFunc(p.tied, t.id, func(u *tied, id int64) int { return cmp.Compare(u.id, id) })
	if i == len(p.tied) {
		p.tied = append(p.tied, t)
		return
	}
	p.tied = slices.Insert(slices.Clone(p.tied), i, t)
}

// key names the filter's programs for all link types: filters with equal keys
// match the same packets.
func (a *applied) key(types []typedClassifier) string {
	if len(types) == 1 {
		return a.programKey(types[0].linkType)
	}
	keys := make([]string, len(types))
	for i, t := range types {
		keys[i] = a.programKey(t.linkType)
	}
	return strings.Join(keys, "\x00|")
}

func (a *applied) programKey(linkType uint16) string {
	if p := a.classifier.Program(linkType); p != nil {
		return p.Key()
	}
	return ""
}

// classifier returns the classifier for a link type, nil when the plan was made
// before the device brought it.
func (p *plan) classifier(linkType uint16) *filter.Classifier {
	for i := range p.types {
		if p.types[i].linkType == linkType {
			return p.types[i].Classifier
		}
	}
	return nil
}

// scratchFor returns what the loop needs to use the classifiers.
func scratchFor(types []typedClassifier) *filter.Scratch {
	s := new(filter.Scratch)
	for _, t := range types {
		s.Fit(t.Classifier)
	}
	return s
}

// fit returns s or, when it is too small for so many members, a larger one.
func (s *scratch) fit(members int) *scratch {
	if s != nil && members <= len(s.tail) {
		return s
	}
	n := max(members, 16) * 2
	hits := max(minHits, n)
	s = &scratch{
		hits:    make([]filter.Hit, 0, hits),
		next:    make([]int32, hits),
		head:    make([]int32, n),
		tail:    make([]int32, n),
		touched: make([]uint32, 0, n),
		list:    make([]*pkt.Packet, 0, hits),
	}
	for i := range s.tail {
		s.tail[i] = -1
	}
	return s
}
