package engine

import (
	"strings"

	"gomapi/internal/filter"
	"gomapi/internal/pkt"
)

// A plan says what happens to the packets of a device. The control side builds
// it and never changes it after publication; only the capture goroutine
// touches its scratch.
type plan struct {
	gen    uint64
	chains []*chain // all, in order of creation
	fresh  []*chain // those that the loop may not have adopted yet
	// open are the chains that see every packet, members those behind a
	// leading filter: one member per distinct filter, with all its chains.
	open    []*chain
	members []member
	tied    []*tied // those that run packet by packet, in neither of the two
	types   []typedClassifier
	expire  []*chain // with functions that act on the passing of time
	scratch *scratch
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

// newPlan makes the plan that follows old.
func newPlan(old *plan, flows []*Flow, linkTypes []uint16, fresh []*chain) *plan {
	p := &plan{gen: old.gen + 1, fresh: fresh, chains: make([]*chain, 0, len(flows))}
	index := make(map[string]int) // leading filter -> member
	var leads []*applied          // by member
	tie := tiedChains(flows)
	for _, f := range flows {
		c := f.chain
		p.chains = append(p.chains, c)
		if c.expires {
			p.expire = append(p.expire, c)
		}
		var t *tied
		if tie[c] {
			t = &tied{chain: c}
			p.tied = append(p.tied, t)
		}
		switch {
		case c.lead != nil:
		case t == nil:
			p.open = append(p.open, c)
			continue
		default:
			continue
		}
		key := c.lead.key(linkTypes)
		m, ok := index[key]
		if !ok {
			m = len(p.members)
			index[key] = m
			p.members = append(p.members, member{})
			leads = append(leads, c.lead)
		}
		p.members[m].add(c, t)
	}
	for _, lt := range linkTypes {
		programs := make([]*filter.Program, len(leads))
		for m, lead := range leads {
			programs[m] = lead.classifier.Program(lt)
		}
		p.types = append(p.types, typedClassifier{lt, filter.NewClassifier(programs)})
	}
	p.scratch = old.scratch.fit(len(p.members))
	return p
}

// add puts a chain behind the filter; t is not nil when it is tied.
func (m *member) add(c *chain, t *tied) {
	if t != nil {
		m.tied = append(m.tied, t)
		return
	}
	m.free = append(m.free, c)
}

// key names the filter's programs for all link types: filters with equal keys
// match the same packets.
func (a *applied) key(linkTypes []uint16) string {
	if len(linkTypes) == 1 {
		return a.programKey(linkTypes[0])
	}
	keys := make([]string, len(linkTypes))
	for i, lt := range linkTypes {
		keys[i] = a.programKey(lt)
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
