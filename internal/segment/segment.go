// Package segment decides many chains together, as if they were one: one classifier decides
// all their prefilters, and the functions that they share form a prefix tree and run once
// for all. A segment is built in one go and never changed, like one of an LSM tree, so it
// can be built while the loop runs another one.
//
// Functions that add up write their sums into the segment; Flush adds the sums to the
// results of the flows, some at a time.
//
// Files in reading order; each uses those before it:
//
//	control.go      the chains of a segment, for the control side
//	answers.go      which strings are in the packets of the batch
//	pattern.go      strings that are searched for together, and those left out
//	sum.go          a result, and how much of a sum it has
//	node.go         the prefix tree, and running it
//	accumulator.go  the sums of chains that are alone behind their filter
//	queue.go        nodes and accumulators with pending sums
//	builder.go      growing the tree: which chains share which functions
//	member.go       the target of one prefilter
//	segment.go      a segment from building to closing
package segment

import (
	"math"
	"slices"
	"strings"
	"sync/atomic"

	"gomapi/internal/bpf"
	"gomapi/internal/chain"
	"gomapi/internal/classify"
	"gomapi/internal/pkt"
	"gomapi/internal/share"
)

// A Segment is many chains that are decided together. Once it is built, only its counts and
// sums change, which the capture goroutine owns, and its Control.
type Segment struct {
	all          *node    // chains without a prefilter; nil: none
	members      []member // by prefilter
	scratch      classify.Scratch
	types        []typedClassifier
	accumulators accumulators
	bill         share.Bill // of what the classifiers decide together
	queue        queue
	run          run
	began        atomic.Bool  // the loop has begun to run it
	drained      *atomic.Bool // the loop runs it no more, and nothing is pending
	Control
}

// typedClassifier decides the prefilters for packets of one link type. It has the same
// members as the segment.
type typedClassifier struct {
	linkType uint16
	*classify.Classifier
	singly *share.Bill // of the programs that run for every packet; nil: none does
}

// Build makes a segment of chains whose filters are compiled for all of types. It takes up
// to seconds. If their strings do not fit into one search, it logs this and searches for
// them one by one.
func Build(chains []Candidate, types []uint16, log func(format string, args ...any)) *Segment {
	open, groups := byFilter(chains, types)
	s := &Segment{members: make([]member, 0, len(groups))}
	s.classify(groups, types)
	patterns := s.patterns(open, groups)
	var err error
	if s.run.answers, err = patterns.search(); err != nil {
		log("the strings of %d flows are searched for one by one: %v", len(chains), err)
	}
	b := newBuilder(patterns, len(groups))
	s.drained = b.drained
	if len(open) > 0 {
		s.all = b.root(open)
	}
	for m, group := range groups {
		if len(group) == 1 && b.accumulate(m, group[0]) {
			s.members = append(s.members, member{})
		} else {
			s.members = append(s.members, newMember(b.root(group)))
		}
	}
	b.accumulators.known = nil
	s.accumulators = b.accumulators
	s.queue.fit(s.accumulators.list, b.nodes)
	s.Control = newControl(chains, b.attachments)
	s.stats = b.stats
	s.stats.Members, s.stats.SingleSearches = len(groups), b.patterns.omitted()
	s.run.queue, s.run.fail, s.run.lists = &s.queue, s.failNode, b.lists()
	return s
}

// classify makes the classifiers of the groups' filters.
func (s *Segment) classify(groups [][]Candidate, types []uint16) {
	users := usersOf(groups)
	for _, lt := range types {
		programs := make([]*bpf.Program, len(groups))
		for m, group := range groups {
			programs[m] = group[0].Chain.Prefilter.Classifier.Program(lt)
		}
		c := typedClassifier{linkType: lt, Classifier: classify.NewShared(programs, users)}
		s.scratch.Fit(c.Classifier)
		s.charge(&c, groups, programs)
		s.types = append(s.types, c)
	}
}

// usersOf returns the users of each group, each once.
func usersOf(groups [][]Candidate) [][]uint32 {
	users := make([][]uint32, len(groups))
	var all []uint32
	for m, group := range groups {
		from := len(all)
		for _, c := range group {
			all = append(all, c.User)
		}
		slices.Sort(all[from:])
		all = all[:from+len(slices.Compact(all[from:]))]
		users[m] = all[from:len(all):len(all)]
	}
	return users
}

// patterns returns what the chains search for, except behind filters that match no packet.
func (s *Segment) patterns(open []Candidate, groups [][]Candidate) *patterns {
	p := newPatterns()
	p.collect(open)
	var possible []bool
	for m, group := range groups {
		if !slices.ContainsFunc(group, Candidate.searches) {
			continue
		}
		if possible == nil {
			possible = s.possible(len(groups))
		}
		if possible[m] {
			p.collect(group)
		}
	}
	return p
}

// possible returns for each member whether its filter could match a packet of some link type.
func (s *Segment) possible(members int) []bool {
	possible := make([]bool, members)
	for _, c := range s.types {
		for m, ok := range c.Possible() {
			possible[m] = possible[m] || ok
		}
	}
	return possible
}

// charge makes the chains of each group pay for their filter, for large ones more. One that runs
// singly may take longer than all that are decided together, who do not pay for it.
func (s *Segment) charge(c *typedClassifier, groups [][]Candidate, programs []*bpf.Program) {
	singly := c.Singly()
	if singly != nil {
		c.singly = new(share.Bill)
	}
	for m, group := range groups {
		bill := &s.bill
		if singly != nil && singly[m] {
			bill = c.singly
		}
		for i := 0; programs[m] != nil && i < len(group); i++ {
			bill.Add(group[i].Chain.Share, 1+programs[m].Len()/len(group))
		}
	}
}

// byFilter returns the chains without a prefilter, and groups of chains with equal
// prefilters. Here flows come to share a prefilter: each group becomes one member.
func byFilter(chains []Candidate, types []uint16) (open []Candidate, groups [][]Candidate) {
	index := make(map[string]int, len(chains)) // group, by key of the filter
	of := make([]int, len(chains))
	var sizes []int
	for i, c := range chains {
		if c.Chain.Prefilter == nil {
			open, of[i] = append(open, c), -1
			continue
		}
		key := filterKey(c.Chain.Prefilter, types)
		g, known := index[key]
		if !known {
			g = len(sizes)
			index[key], sizes = g, append(sizes, 0)
		}
		of[i], sizes[g] = g, sizes[g]+1
	}
	groups = make([][]Candidate, len(sizes))
	room := make([]Candidate, len(chains)-len(open))
	for g, n := range sizes {
		groups[g], room = room[:0:n], room[n:]
	}
	for i, g := range of {
		if g >= 0 {
			groups[g] = append(groups[g], chains[i])
		}
	}
	return open, groups
}

// filterKey names the programs of a filter for all link types. Filters with equal keys
// match the same packets.
func filterKey(a *chain.Instance, types []uint16) string {
	if len(types) == 1 {
		return programKey(a, types[0])
	}
	keys := make([]string, len(types))
	for i, lt := range types {
		keys[i] = programKey(a, lt)
	}
	return strings.Join(keys, "\x00|")
}

func programKey(a *chain.Instance, linkType uint16) string {
	if p := a.Classifier.Program(linkType); p != nil {
		return p.Key()
	}
	return ""
}

// Fit returns sc, or a larger one if sc is too small for the segment.
func (s *Segment) Fit(sc *Scratch) *Scratch {
	if len(s.members) <= sc.matches.Room() {
		return sc
	}
	return newScratch(len(s.members))
}

// Stats describe how the chains are decided.
func (s *Segment) Stats() Stats {
	st := s.stats
	st.SingleFilters = s.types[0].Stats().Singles()
	return st
}

// Begin notes that the loop has begun to run the segment.
func (s *Segment) Begin() { s.began.Store(true) }

// Run runs the segment with packets of one link type, which are contiguous in memory.
func (s *Segment) Run(h *chain.Host, sc *Scratch, pkts []pkt.Packet, ptrs []*pkt.Packet) {
	s.run.Host = h
	if s.all != nil {
		s.all.run(&s.run, ptrs)
	}
	c := s.classifier(ptrs[0].LinkType)
	if c != nil && len(s.members) > 0 {
		c.classifySingly(h, pkts, sc.matches)
		if h.Meter.On {
			h.Meter.ToAll(&s.bill)
		}
		c.ClassifyTogether(&s.scratch, pkts, sc.matches)
		s.dispatch(sc, ptrs)
	}
	s.run.answers.forget()
}

// classifySingly runs the programs that run for every packet.
func (c *typedClassifier) classifySingly(h *chain.Host, pkts []pkt.Packet, matches *classify.Matches) {
	if c.singly == nil {
		return
	}
	if h.Meter.On {
		h.Meter.ToAll(c.singly)
	}
	c.ClassifySingly(pkts, matches)
}

// classifier returns the classifier for a link type, or nil if the filters were not compiled
// for it.
func (s *Segment) classifier(linkType uint16) *typedClassifier {
	for i := range s.types {
		if s.types[i].linkType == linkType {
			return &s.types[i]
		}
	}
	return nil
}

// dispatch runs the members with the packets that match them.
func (s *Segment) dispatch(sc *Scratch, ptrs []*pkt.Packet) {
	sc.touched = sc.matches.Members(sc.touched[:0])
	s.fetch(sc)
	for next := 0; next < len(sc.touched); {
		next = s.runMembers(sc, ptrs, next)
	}
}

// runMembers runs the members from index next of the touched ones on, and returns the index
// behind the last one that it has run: after a fault, some are left.
func (s *Segment) runMembers(sc *Scratch, ptrs []*pkt.Packet, next int) (after int) {
	after = next
	var in []*pkt.Packet
	defer func() {
		if value := recover(); value != nil {
			s.failAccumulators(sc.touched[after-1], in, value)
		}
	}()
	for _, m := range sc.touched[next:] {
		after++
		set := sc.matches.Take(m)
		in = set.Of(ptrs, sc.List[:0])
		if a := &s.accumulators.list[m]; a.kind != 0 {
			if s.run.Meter.On {
				s.run.Meter.To(s.accumulators.shares[m])
			}
			s.accumulators.add(a, in)
			if !a.queued {
				a.queued = true
				s.queue.push(m, 1)
			}
			continue
		}
		s.members[m].run(&s.run, in)
	}
	return after
}

// failNode ends all chains that share the function of node n, which has failed with in.
func (s *Segment) failNode(n *node, in []*pkt.Packet, value any) {
	n.failed = true
	step := -1
	users := s.users(func(shared chain.Shared) bool {
		p, ok := shared.(*path)
		if !ok {
			return false
		}
		i := slices.Index(p.nodes, n)
		if i > 0 {
			step = i - 1 // the same for all
		}
		return i > 0
	})
	s.run.FailShared(users, step, in, len(in), value)
}

// failAccumulators ends all chains whose functions run as those of member m, one of which has
// failed with in. The books do not have these packets yet.
func (s *Segment) failAccumulators(m uint32, in []*pkt.Packet, value any) {
	kind := s.accumulators.list[m].kind
	if kind == 0 {
		panic(value) // not in a function
	}
	step := s.accumulators.failing
	s.accumulators.kinds[kind] = nil
	users := s.users(func(shared chain.Shared) bool {
		a, ok := shared.(*accumulator)
		return ok && a.kind == kind
	})
	s.run.FailShared(users, step, in, 0, value)
}

// users returns the chains, not closed, for which the segment runs functions that are
// accepted by the caller.
func (s *Segment) users(accept func(chain.Shared) bool) (users []*chain.Chain) {
	for _, a := range s.attachments {
		if c := a.Chain(); !c.Closed() && !a.Detached() && accept(a.Shared()) {
			users = append(users, c)
		}
	}
	return users
}

// fetch loads the memory of the members into the cache before the first of them runs. A
// member that gets a packet once in tens of thousands is not in the cache. Loading all of
// them first overlaps their cache misses.
func (s *Segment) fetch(sc *Scratch) {
	var sum uint64
	for _, m := range sc.touched {
		sum += uint64(s.accumulators.list[m].kind)
	}
	for _, m := range sc.touched {
		if c := s.members[m].chain; c != nil {
			sum += c.Fetch()
		}
	}
	for _, m := range sc.touched {
		if c := s.members[m].chain; c != nil {
			sum += c.FetchSteps()
		}
	}
	sc.fetched = sum
}

// Flush flushes up to n pending results. An accumulator counts as one.
func (s *Segment) Flush(n int) { s.queue.flush(n) }

// FlushAll flushes all pending results.
func (s *Segment) FlushAll() { s.queue.flush(math.MaxInt) }

// Pending returns how many results are pending. An accumulator counts as one.
func (s *Segment) Pending() int { return s.queue.pending }

// Drain notes that the loop runs the segment no more and nothing is pending.
func (s *Segment) Drain() { s.drained.Store(true) }

// Close frees the memory of the segment that Go does not manage. The loop must not run the
// segment any more. Calling it twice is allowed.
func (s *Segment) Close() {
	if !s.began.Load() {
		s.Drain() // the loop will never run it
	}
	s.run.answers.close()
}
