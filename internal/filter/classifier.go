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
// any number of goroutines may use it. Its members are compiled for one link
// type, which its packets must have.
//
// This one runs each distinct program once per packet.
type Classifier struct {
	members int
	groups  []group
}

// A group is the members that share one program, in ascending order.
type group struct {
	program *Program
	members []uint32
}

// Scratch is what one goroutine needs to use classifiers.
type Scratch struct{}

// NewScratch makes a scratch for classifiers of up to so many members.
func NewScratch(members int) *Scratch { return &Scratch{} }

// NewClassifier makes a classifier whose member i has the filter programs[i].
// A nil program never matches: so a filter that does not compile for this link
// type keeps its place. It must have fewer than 2^32 members.
func NewClassifier(programs []*Program) *Classifier {
	c := &Classifier{members: len(programs)}
	index := make(map[string]int)
	for member, p := range programs {
		if p == nil {
			continue
		}
		g, known := index[p.Key()]
		if !known {
			g = len(c.groups)
			index[p.Key()] = g
			c.groups = append(c.groups, group{program: p})
		}
		c.groups[g].members = append(c.groups[g].members, uint32(member))
	}
	return c
}

// With returns a classifier with one more member, behind those of c; nil never
// matches. It costs the same however many members there are: the two share their
// memory, so With is called on each classifier once. It does not look whether
// another member has the same program.
func (c *Classifier) With(p *Program) *Classifier {
	next := *c
	next.members++
	if p != nil {
		next.groups = append(next.groups, group{program: p, members: []uint32{uint32(c.members)}})
	}
	return &next
}

// Len returns the number of members.
func (c *Classifier) Len() int { return c.members }

// Classify appends a hit for every match to hits: packets in order, members
// ascending within a packet. It never grows hits. Before a packet whose
// matches might not fit, that is with less than Len() room left, it stops; n
// is the number of packets decided. With room for Len() hits it decides at
// least one packet. It does not allocate.
func (c *Classifier) Classify(s *Scratch, pkts []pkt.Packet, hits []Hit) (n int, out []Hit) {
	for i := range pkts {
		if cap(hits)-len(hits) < c.members {
			return i, hits
		}
		hits = c.decide(&pkts[i], uint32(i), hits)
	}
	return len(pkts), hits
}

// decide appends the hits of one packet, for which there is room.
func (c *Classifier) decide(p *pkt.Packet, index uint32, hits []Hit) []Hit {
	first := len(hits)
	matched := 0
	for i := range c.groups {
		g := &c.groups[i]
		if !g.program.Match(p.Link, p.Wire) {
			continue
		}
		matched++
		for _, m := range g.members {
			hits = append(hits, Hit{Packet: index, Member: m})
		}
	}
	if matched > 1 && len(c.groups) < c.members {
		slices.SortFunc(hits[first:], byMember)
	}
	return hits
}

func byMember(a, b Hit) int { return cmp.Compare(a.Member, b.Member) }
