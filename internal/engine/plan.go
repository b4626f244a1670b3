package engine

import (
	"cmp"
	"slices"

	"gomapi/drivers"
	"gomapi/internal/books"
	"gomapi/internal/classify"
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

// scratch is what the loop needs to run members with their packets of a batch. It
// passes from plan to plan and grows with the number of members.
type scratch struct {
	matches *classify.Matches
	touched []uint32 // members with packets
	list    []*pkt.Packet
	fetched uint64 // so that level.fetch is not in vain
}

// follow makes the plan that comes after p, so far the same. What the loop may not
// have taken up is fresh.
func (p *plan) follow(fresh []*chain) *plan {
	next := *p
	next.gen, next.fresh = p.gen+1, fresh
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
	c.looked.Store(true)
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
	if len(lv.chains) > 0 {
		levels = append(levels, lv)
	}
	p.levels = levels
	p.scratch = p.scratch.fit(lv)
}

// unsettle makes all chains loose, for a link type more.
func (p *plan) unsettle(types []uint16) {
	p.types, p.levels = types, nil
	p.loose = slices.Clone(p.chains)
	for _, c := range p.loose {
		c.level, c.shares = nil, false
	}
}

// tidy forgets closed chains. Those that levels have stay there.
func (p *plan) tidy() {
	p.chains, p.loose, p.expire = alive(p.chains), alive(p.loose), alive(p.expire)
	p.tied = slices.DeleteFunc(slices.Clone(p.tied), func(t *tied) bool { return t.closed.Load() })
	p.tyings++
}

// notes tells how the chains are decided. Any goroutine may call it.
func (p *plan) notes() []books.Line {
	settled, largest, filters, searches := 0, 0, 0, 0
	for _, lv := range p.levels {
		settled += len(lv.chains)
		largest = max(largest, len(lv.chains)-len(lv.early))
		filters += lv.types[0].Stats().Singles()
		searches += lv.searches
	}
	return []books.Line{
		{Name: books.Unsettled, Value: uint64(len(p.loose) + settled - largest)},
		{Name: books.SingleFilters, Value: uint64(filters)},
		{Name: books.SingleSearches, Value: uint64(searches)},
	}
}

// alive returns the chains that are not closed, in memory of its own.
func alive(chains []*chain) []*chain {
	return slices.DeleteFunc(slices.Clone(chains), func(c *chain) bool { return c.closed.Load() })
}

// fit returns s or, when it is too small for a level, a larger one.
func (s *scratch) fit(lv *level) *scratch {
	if len(lv.members) <= s.matches.Room() {
		return s
	}
	return newScratch(len(lv.members))
}

// newScratch makes room for more than so many members.
func newScratch(members int) *scratch {
	n := members + members/2
	return &scratch{
		matches: classify.NewMatches(n),
		touched: make([]uint32, 0, n),
		list:    make([]*pkt.Packet, 0, drivers.MaxBatch),
	}
}
