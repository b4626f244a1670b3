// Package datapath runs the chains of a device's flows with its packets. It has the code
// that runs per batch, and the calls by which the control side changes the plan.
//
// A Loop is the sink of a driver. It loads its plan, an immutable value, once per batch.
// The control side stores a new plan and, before it frees memory, waits for a grace period
// as in RCU. The loop counts epochs, odd while a batch is under way, and loads the plan
// after its epoch has become odd. So a goroutine that stores a plan and then sees an even
// epoch knows that no batch runs on an older plan. If it sees an odd epoch, it waits for
// that batch to end (Loop.Quiesce). Neither side wakes a capture goroutine that waits, and
// a silent device costs nothing.
//
// Files in reading order; each uses those before it:
//
//	lockstep.go  chains that go packet by packet
//	analysis.go  analysers
//	derived.go   loops that run inside another one
//	plan.go      what happens to the packets of a device
//	epoch.go     beginning, ending and waiting for epochs
//	flush.go     when sums are added to results
//	clock.go     packet time while no packets come
//	metering.go  which batches are metered; what happens when the device fills
//	loop.go      running a batch; switching to a new plan
//	quiesce.go   waiting for the loop, and the loop waiting for a client
//	control.go   changing the plan
//	books.go     reading the loop's counts from outside
package datapath

import (
	"cmp"
	"slices"

	"gomapi/internal/chain"
	"gomapi/internal/segment"
)

// A plan says what happens to the packets of a device. The control side builds it and never
// changes it after publication. Only the capture goroutine touches its scratch and the
// counts of its segments.
//
// Chains begin unmerged, each with its own filter, and move into segments, which decide many
// filters at once. A closed chain stays in the plan until the plan is tidied; the loop skips
// it.
//
// Successive plans share memory: new entries are appended behind those that older plans see.
// So only one plan may follow another.
type plan struct {
	generation uint64
	chains     []*chain.Chain // all, in order of connecting
	fresh      []*chain.Chain // chains that the loop may not have started yet
	passes     []passage      // chains that the loop may not have passed by, or let come back, yet
	unmerged   []*chain.Chain // chains in no segment
	segments   []*segment.Segment
	lockstep   []*inStep   // chains in lockstep, in order of creation
	steppings  uint64      // number of changes of lockstep
	tidied     uint64      // number of times that closed chains were removed
	analyses   []*Analysis // analysers of the device
	derived    []*derived  // loops that run inside this one
	types      []uint16    // link types for which the filters are compiled
	scratch    *segment.Scratch
}

// A passage begins or ends the time for which a chain is passed by.
type passage struct {
	number uint64 // ascending
	chain  *chain.Chain
	on     bool
}

// follow makes the plan after p, a copy with other fresh chains and passages.
func (p *plan) follow(fresh []*chain.Chain, passes []passage) *plan {
	next := *p
	next.generation, next.fresh, next.passes = p.generation+1, fresh, passes
	return &next
}

// add adds a chain. Its cost does not depend on the number of chains.
func (p *plan) add(c *chain.Chain) {
	p.chains = append(p.chains, c)
	p.unmerged = append(p.unmerged, c)
}

// step adds a chain to those in lockstep, in order of creation. If it does not belong at the
// end, the list is copied, because an older plan may use the old one.
func (p *plan) step(c *chain.Chain) {
	c.InLockstep = true
	c.Watch()
	if c.PassedBy {
		return // until it returns
	}
	p.steppings++
	t := &inStep{Chain: c}
	i, _ := slices.BinarySearchFunc(p.lockstep, c.ID, func(u *inStep, id int64) int { return cmp.Compare(u.ID, id) })
	if i == len(p.lockstep) {
		p.lockstep = append(p.lockstep, t)
		return
	}
	p.lockstep = slices.Insert(slices.Clone(p.lockstep), i, t)
}

// merge adds s. Its chains were unmerged, or in segments that s replaces.
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

// unmerge takes all chains out of their segments, for a new list of link types.
func (p *plan) unmerge(types []uint16) {
	p.types, p.segments = types, nil
	p.unmerged = slices.DeleteFunc(slices.Clone(p.chains), passedBy)
	for _, c := range p.unmerged {
		c.Group, c.Shared = nil, false
	}
}

func passedBy(c *chain.Chain) bool { return c.PassedBy }

// leave removes the chains that are passed by, except from segments.
func (p *plan) leave() {
	p.unmerged = slices.DeleteFunc(slices.Clone(p.unmerged), passedBy)
	p.lockstep = slices.DeleteFunc(slices.Clone(p.lockstep), func(t *inStep) bool { return t.PassedBy })
	p.steppings++
}

// tidy removes closed chains, except from segments.
func (p *plan) tidy() {
	p.chains, p.unmerged = alive(p.chains), alive(p.unmerged)
	p.tidied++
	p.lockstep = slices.DeleteFunc(slices.Clone(p.lockstep), func(t *inStep) bool { return t.Closed() })
	p.steppings++
}

// alive returns the chains that are not closed, as a new list.
func alive(chains []*chain.Chain) []*chain.Chain {
	return slices.DeleteFunc(slices.Clone(chains), (*chain.Chain).Closed)
}
