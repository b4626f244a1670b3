// Package datapath takes the packets of one device through the chains of its flows: it is
// what runs per batch, and how those who change the plan meet it.
//
// A Loop is the sink of a driver. It loads its plan, an immutable value, once per batch.
// The control side stores a new plan and, where it takes memory back, waits for a grace
// period as in RCU: the loop counts epochs, odd while a batch is under way, and it loads
// the plan after its epoch has become odd. So whoever stores a plan and then sees an even
// epoch knows that no batch runs on an older one; seeing an odd one it waits for that
// batch to end (Loop.Quiesce). Neither side wakes a capture goroutine that waits, and a
// silent device costs nothing.
//
// Files, each of which uses those before it:
//
//	lockstep.go  chains that go packet by packet
//	plan.go      what happens to the packets of a device
//	epoch.go     beginning, ending and waiting for epochs
//	flush.go     when sums are added to results
//	loop.go      the way of a batch; what is new in a plan
//	quiesce.go   waiting for the loop, also when it waits for a client
//	control.go   changing the plan
//	books.go     reading the loop's counts from outside
package datapath

import (
	"cmp"
	"slices"

	"gomapi/internal/chain"
	"gomapi/internal/segment"
)

// A plan says what happens to the packets of a device. The control side builds
// it and never changes it after publication; only the capture goroutine
// touches its scratch and what its segments count.
//
// Chains begin unmerged, each with a filter of its own, and move into segments, which
// decide many filters at once. A closed chain stays where it is until the plan is tidied:
// the loop passes it by.
//
// Plans that follow one another share memory: what is new stands behind what the
// older ones look at. So only one plan may follow another.
type plan struct {
	generation uint64
	chains     []*chain.Chain // all, in order of connecting
	fresh      []*chain.Chain // those that the loop may not have taken up yet
	unmerged   []*chain.Chain // those in no segment
	segments   []*segment.Segment
	lockstep   []*inStep // those that go packet by packet, in order of creation
	steppings  uint64    // changes of lockstep
	expire     []*chain.Chain
	types      []uint16 // link types for which filters stand
	scratch    *segment.Scratch
}

// follow makes the plan that comes after p, so far the same. What the loop may not
// have taken up is fresh.
func (p *plan) follow(fresh []*chain.Chain) *plan {
	next := *p
	next.generation, next.fresh = p.generation+1, fresh
	return &next
}

// add connects a chain. It costs the same however many there are.
func (p *plan) add(c *chain.Chain) {
	p.chains = append(p.chains, c)
	p.unmerged = append(p.unmerged, c)
	if c.Expires {
		p.expire = append(p.expire, c)
	}
}

// step puts a chain among those that go in lockstep, in the order of creation.
// Where that is not the end, the list gets memory of its own: another plan may
// look at the old one.
func (p *plan) step(c *chain.Chain) {
	c.InLockstep = true
	c.Watch()
	p.steppings++
	t := &inStep{Chain: c}
	i, _ := slices.BinarySearchFunc(p.lockstep, c.ID, func(u *inStep, id int64) int { return cmp.Compare(u.ID, id) })
	if i == len(p.lockstep) {
		p.lockstep = append(p.lockstep, t)
		return
	}
	p.lockstep = slices.Insert(slices.Clone(p.lockstep), i, t)
}

// merge moves the chains of s from where they were: they were unmerged, or in
// segments that s replaces.
func (p *plan) merge(s *segment.Segment, replaced []*segment.Segment) {
	taken := func(c *chain.Chain) bool { return s.Has(c) || c.Closed() }
	p.unmerged = slices.DeleteFunc(slices.Clone(p.unmerged), taken)
	segments := make([]*segment.Segment, 0, len(p.segments)+1)
	for _, old := range p.segments {
		if !slices.Contains(replaced, old) {
			segments = append(segments, old)
		}
	}
	if len(s.Chains()) > 0 {
		segments = append(segments, s)
	}
	p.segments = segments
	p.scratch = s.Fit(p.scratch)
}

// unmerge takes all chains out of their segments, for a link type more.
func (p *plan) unmerge(types []uint16) {
	p.types, p.segments = types, nil
	p.unmerged = slices.Clone(p.chains)
	for _, c := range p.unmerged {
		c.Group, c.Shared = nil, false
	}
}

// tidy forgets closed chains. Those that segments have stay there.
func (p *plan) tidy() {
	p.chains, p.unmerged, p.expire = alive(p.chains), alive(p.unmerged), alive(p.expire)
	p.lockstep = slices.DeleteFunc(slices.Clone(p.lockstep), func(t *inStep) bool { return t.Closed() })
	p.steppings++
}

// alive returns the chains that are not closed, in memory of its own.
func alive(chains []*chain.Chain) []*chain.Chain {
	return slices.DeleteFunc(slices.Clone(chains), (*chain.Chain).Closed)
}
