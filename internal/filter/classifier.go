package filter

import (
	"cmp"
	"slices"

	"gomapi/internal/pkt"
)

// A Hit says that a packet matches a member's filter.
type Hit struct {
	Packet uint32 // index in the batch
	Member uint32 // index in the list that the classifier was made of
}

// A Classifier decides which of many filters match a packet. It is immutable;
// any number of goroutines may use it, each with a Scratch of its own. Its
// members are compiled for one link type, which its packets must have.
//
// A packet goes through the shape, a few decisions on fields with few values,
// to a leaf. The leaf's indexes lead from the values of other fields to the
// filters that can match; where that does not decide, their programs do.
// docs/classifier.md is the tour.
type Classifier struct {
	count   int
	root    int32
	states  []state
	leaves  []leaf
	links   []link // lists of all indexes; the first stands for the end
	checks  []check
	trees   []term // terms that are no simple fields
	bundles []bundle
	members []uint32 // of bundles
	singles []uint32 // bundles that run for every packet
	stats   Stats
}

// A bundle is members for which the same program decides: those with equal
// programs, or those of which a leaf leaves the same to be decided.
type bundle struct {
	program  *Program
	from, to uint32 // in members
}

// Scratch is what one goroutine needs to use classifiers. Its zero value is
// ready for Fit.
type Scratch struct {
	turn uint32
	seen []uint32 // turn of the packet for which a bundle was dealt with
}

// Fit makes s large enough for c. It allocates, so it belongs before the first
// packet.
func (s *Scratch) Fit(c *Classifier) {
	if len(s.seen) < len(c.bundles) {
		s.seen = make([]uint32, len(c.bundles)+len(c.bundles)/4)
		s.turn = 0
	}
}

// next begins a packet.
func (s *Scratch) next() {
	if s.turn++; s.turn == 0 {
		s.turn = 1
		clear(s.seen)
	}
}

// first reports whether it is called for the bundle for the first time in this
// packet.
func (s *Scratch) first(bundle uint32) bool {
	if s.seen[bundle] == s.turn {
		return false
	}
	s.seen[bundle] = s.turn
	return true
}

// Len returns the number of members.
func (c *Classifier) Len() int { return c.count }

// With returns a classifier with one more member, behind those of c; nil never
// matches. It costs the same however many members there are: the two share their
// memory, so With is called on each classifier once. It does not look whether
// another member has the same program.
func (c *Classifier) With(p *Program) *Classifier {
	next := *c
	next.count++
	if p != nil {
		next.singles = append(next.singles, uint32(len(c.bundles)))
		next.bundles = append(next.bundles, bundle{p, uint32(len(c.members)), uint32(len(c.members) + 1)})
		next.members = append(next.members, uint32(c.count))
	}
	return &next
}

// Classify appends a hit for every match to hits: packets in order, each member
// once for a packet, the members of one packet in any order. It never grows
// hits. Before a packet whose matches might not fit, that is with less than
// Len() room left, it stops; n is the number of packets decided. With room for
// Len() hits it decides at least one packet. s must fit c. It does not allocate.
func (c *Classifier) Classify(s *Scratch, pkts []pkt.Packet, hits []Hit) (n int, out []Hit) {
	for i := range pkts {
		if cap(hits)-len(hits) < c.count {
			return i, hits
		}
		p := &pkts[i]
		if l := c.descend(p); l != emptyLeaf {
			s.next()
			hits = c.decide(&c.leaves[l], s, p, uint32(i), hits)
		}
		for _, b := range c.singles {
			if c.matches(b, p) {
				hits = c.report(b, uint32(i), hits)
			}
		}
	}
	return len(pkts), hits
}

// descend takes a packet through the shape and returns the number of its leaf.
func (c *Classifier) descend(p *pkt.Packet) int32 {
	at := c.root
	for at >= 0 {
		s := &c.states[at]
		if v, ok := c.read(&s.field, p.Link, p.Wire); ok {
			at = s.lead(v)
		} else {
			at = s.fail
		}
	}
	return ^at
}

// decide appends the hits of one packet, for which there is room.
func (c *Classifier) decide(l *leaf, s *Scratch, p *pkt.Packet, packet uint32, hits []Hit) []Hit {
	short := l.lacks(p.Link)
	if l.every != 0 {
		hits = c.follow(l.every, short, s, p, packet, hits)
	}
	for i := range l.indexes {
		x := &l.indexes[i]
		if v, ok := c.read(&x.field, p.Link, p.Wire); ok {
			if at := x.find(v); at != 0 {
				hits = c.follow(at, short, s, p, packet, hits)
			}
		}
	}
	for _, b := range l.byDefault {
		if s.first(b) && (!short || c.matches(b, p)) {
			hits = c.report(b, packet, hits)
		}
	}
	return hits
}

// follow deals with a list of entries. For a short packet, which lacks what the
// leaf relies on, programs decide.
func (c *Classifier) follow(at uint32, short bool, s *Scratch, p *pkt.Packet, packet uint32, hits []Hit) []Hit {
	links := c.links
	for at != 0 {
		k := &links[at]
		at = k.next
		b := uint32(k.entry >> entryShift)
		switch {
		case k.entry&(once|exclude) != 0 && !s.first(b):
			continue
		case short || k.entry&verify != 0 && k.check == noCheck:
			if !c.matches(b, p) {
				continue
			}
		case k.entry&verify != 0:
			if !c.passes(k.check, p.Link, p.Wire) {
				continue
			}
		case k.entry&exclude != 0:
			continue
		}
		if k.member == several {
			hits = c.report(b, packet, hits)
		} else {
			hits = append(hits, Hit{Packet: packet, Member: k.member})
		}
	}
	return hits
}

func (c *Classifier) matches(b uint32, p *pkt.Packet) bool {
	return c.bundles[b].program.Match(p.Link, p.Wire)
}

// report appends a hit for each member of a bundle.
func (c *Classifier) report(b, packet uint32, hits []Hit) []Hit {
	g := &c.bundles[b]
	for _, m := range c.members[g.from:g.to] {
		hits = append(hits, Hit{Packet: packet, Member: m})
	}
	return hits
}

// lacks tells whether a packet is too short for what the leaf relies on.
func (l *leaf) lacks(data []byte) bool {
	for _, n := range l.needs {
		x := uint32(0)
		if n.header != noHeader {
			var ok bool
			if x, ok = headerLen(data, n.header); !ok {
				return true
			}
		}
		if uint64(x)+uint64(n.end) > uint64(len(data)) {
			return true
		}
	}
	return false
}

// NewClassifier makes a classifier whose member i has the filter programs[i].
// A nil program never matches: so a filter that does not compile for this link
// type keeps its place. Equal programs are decided once. It must have fewer
// than 2^29 members. It belongs to the control side: it may take seconds for
// tens of thousands of filters, and its time and memory are bounded for any.
func NewClassifier(programs []*Program) *Classifier {
	c := &Classifier{count: len(programs), links: make([]link, 1)}
	c.group(programs)
	n := newNodes()
	b := builder{nodes: n, Classifier: c, survey: survey{nodes: n}}
	filters := b.readAll()
	b.positive = covering{survey: &b.survey, sample: &b.sample, goal: accept}
	b.negative = covering{survey: &b.survey, sample: &b.sample, goal: refuse}
	b.joined = make(map[string]uint32)
	b.leaf(nil, nil)
	b.survey.count(filters)
	c.root = b.shape(filters, nil, budget{
		states: maxStates,
		copies: 16*len(filters) + 1<<16,
		work:   min(64*b.survey.size, maxWork) + 1<<20,
	})
	c.finish()
	return c
}

// group makes a bundle of the members of each distinct program.
func (c *Classifier) group(programs []*Program) {
	index := make(map[string]uint32, len(programs))
	var of []uint32 // bundle by member
	for _, p := range programs {
		if p == nil {
			of = append(of, noBundle)
			continue
		}
		id, known := index[p.Key()]
		if !known {
			id = uint32(len(c.bundles))
			index[p.Key()] = id
			c.bundles = append(c.bundles, bundle{program: p})
		}
		c.bundles[id].to++
		of = append(of, id)
	}
	end := uint32(0)
	for i := range c.bundles {
		b := &c.bundles[i]
		b.from, end = end, end+b.to
		b.to = b.from
	}
	c.members = make([]uint32, end)
	for m, id := range of {
		if id != noBundle {
			b := &c.bundles[id]
			c.members[b.to] = uint32(m)
			b.to++
		}
	}
}

const noBundle = ^uint32(0)

// byLength returns the bundles, short programs first: long ones shall not take
// what is there for all.
func (b *builder) byLength() []int {
	order := make([]int, len(b.bundles))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int {
		return cmp.Compare(b.bundles[x].program.Len(), b.bundles[y].program.Len())
	})
	return order
}

// readAll reads the distinct programs and returns those that could be read; the
// rest run singly.
func (b *builder) readAll() []pending {
	b.stats.Programs = len(b.bundles)
	r := newReader(b.nodes)
	filters := make([]pending, 0, len(b.bundles))
	size := 0
	for _, i := range b.byLength() {
		n, why := r.read(b.bundles[i].program)
		if size += b.survey.sizeOf(n); why == expressed && size > maxAllSizes {
			why = noBudget
		}
		if why != expressed {
			b.singles = append(b.singles, uint32(i))
			b.stats.count(why)
		} else if n != refuse {
			filters = append(filters, pending{int32(i), n})
		}
	}
	return filters
}

// finish completes the links and gives back the room that lists have for
// growing.
func (c *Classifier) finish() {
	for i := 1; i < len(c.links); i++ {
		k := &c.links[i]
		k.member = several
		if b := c.bundles[k.entry>>entryShift]; b.to-b.from == 1 {
			k.member = c.members[b.from]
		}
	}
	c.states = slices.Clip(slices.Clone(c.states))
	c.leaves = slices.Clip(slices.Clone(c.leaves))
	c.links = slices.Clip(slices.Clone(c.links))
	c.checks = slices.Clip(slices.Clone(c.checks))
	c.trees = slices.Clip(slices.Clone(c.trees))
	c.bundles = slices.Clip(slices.Clone(c.bundles))
	c.members = slices.Clip(slices.Clone(c.members))
	c.stats.Members, c.stats.Shapes, c.stats.States = c.count, len(c.leaves), len(c.states)
}
