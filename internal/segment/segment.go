// Package segment is many chains decided together, as if they were one: their prefilters
// by one classifier, and what they have in common by a prefix tree of functions that run
// once for all. A segment is built from nothing and never changed, as one of an LSM tree,
// so that it can be built beside the loop that runs another one.
//
// Functions that add up write into accumulators in the segment; Flush adds these to the
// results of the flows, some at a time.
//
// Files, each of which uses those before it:
//
//	control.go      the chains of a segment, for those who make plans
//	pattern.go      strings that are searched for together, and those left out
//	answers.go      which strings are in the packets of the batch
//	sum.go          a result and what it was given of a sum
//	node.go         the prefix tree, and how packets go through it
//	accumulator.go  the sums of chains that are alone behind their filter
//	queue.go        nodes and accumulators with sums that are pending
//	builder.go      growing the tree
//	member.go       what one prefilter lets packets through to
//	segment.go      all of it, from building to the end
package segment

import (
	"math"
	"strings"
	"sync/atomic"

	"gomapi/internal/bpf"
	"gomapi/internal/chain"
	"gomapi/internal/classify"
	"gomapi/internal/pkt"
)

// A Segment is chains that are decided together. Nobody changes it once it is built, but
// for its counts and sums, which belong to the capture goroutine.
type Segment struct {
	all          *node    // chains without a prefilter; nil: none
	members      []member // by prefilter
	scratch      classify.Scratch
	types        []typedClassifier
	accumulators accumulators
	queue        queue
	run          run
	began        atomic.Bool  // the loop has turned to it
	drained      *atomic.Bool // it has ended, and all sums were flushed
	Control
}

// typedClassifier decides the prefilters for packets of one link type. Its
// members are those of the segment.
type typedClassifier struct {
	linkType uint16
	*classify.Classifier
}

// Build makes a segment of chains, whose filters stand for all link types. It takes up to
// seconds. Strings for which there can be no common search are searched for one by one,
// which is logged.
func Build(chains []Candidate, types []uint16, log func(format string, args ...any)) *Segment {
	s, err := build(chains, types, true)
	if err != nil {
		log("the strings of %d flows are searched for one by one: %v", len(chains), err)
		s, _ = build(chains, types, false)
	}
	return s
}

// build makes the segment. An error says why the chains cannot be searched together for
// their strings; search says whether that is to be tried.
func build(chains []Candidate, types []uint16, search bool) (*Segment, error) {
	open, groups := byFilter(chains, types)
	b := newBuilder(newPatterns(chains), len(groups))
	if !search {
		b.patterns.drop()
	}
	s := &Segment{drained: b.drained, members: make([]member, 0, len(groups))}
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
	s.classify(groups, types)
	b.accumulators.known = nil
	s.accumulators = b.accumulators
	s.queue.fit(s.accumulators.list, b.nodes)
	s.Control = newControl(chains, b.attachments)
	s.stats = b.stats
	s.stats.Members, s.stats.SingleSearches = len(groups), b.patterns.omitted()
	return s, b.fitRun(&s.run)
}

// classify makes the classifiers of the groups' filters.
func (s *Segment) classify(groups [][]Candidate, types []uint16) {
	for _, lt := range types {
		programs := make([]*bpf.Program, len(groups))
		for m, group := range groups {
			programs[m] = group[0].Chain.Prefilter.Classifier.Program(lt)
		}
		c := classify.NewClassifier(programs)
		s.scratch.Fit(c)
		s.types = append(s.types, typedClassifier{lt, c})
	}
}

// byFilter returns the chains without a prefilter, and groups of those with the same.
func byFilter(chains []Candidate, types []uint16) (open []Candidate, groups [][]Candidate) {
	index := make(map[string]int, len(chains)) // of the group, by key of the filter
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

// filterKey names the filter's programs for all link types: filters with equal keys
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

// Fit returns sc or, when it is too small for the segment, a larger one.
func (s *Segment) Fit(sc *Scratch) *Scratch {
	if len(s.members) <= sc.matches.Room() {
		return sc
	}
	return newScratch(len(s.members))
}

// Stats returns how the chains are decided.
func (s *Segment) Stats() Stats {
	st := s.stats
	st.SingleFilters = s.types[0].Stats().Singles()
	return st
}

// Begin tells that the loop has turned to the segment.
func (s *Segment) Begin() { s.began.Store(true) }

// Run takes packets of one link type, which lie one behind the other, through the
// segment.
func (s *Segment) Run(b *chain.Batch, sc *Scratch, pkts []pkt.Packet, ptrs []*pkt.Packet) {
	s.run.Batch, s.run.queue = b, &s.queue
	if s.all != nil {
		s.all.run(&s.run, ptrs)
	}
	c := s.classifier(ptrs[0].LinkType)
	if c != nil && len(s.members) > 0 {
		c.Classify(&s.scratch, pkts, sc.matches)
		s.dispatch(sc, ptrs)
	}
	s.run.answers.forget()
}

// classifier returns the classifier for a link type, nil for one that filters do not
// stand for.
func (s *Segment) classifier(linkType uint16) *classify.Classifier {
	for i := range s.types {
		if s.types[i].linkType == linkType {
			return s.types[i].Classifier
		}
	}
	return nil
}

// dispatch runs the members with the packets that match them.
func (s *Segment) dispatch(sc *Scratch, ptrs []*pkt.Packet) {
	sc.touched = sc.matches.Members(sc.touched[:0])
	s.fetch(sc)
	for _, m := range sc.touched {
		set := sc.matches.Take(m)
		in := set.Of(ptrs, sc.List[:0])
		if a := &s.accumulators.list[m]; a.kind != 0 {
			s.accumulators.add(a, in)
			if !a.queued {
				a.queued = true
				s.queue.push(m, 1)
			}
			continue
		}
		s.members[m].run(&s.run, in)
	}
}

// fetch looks at what members keep in memory before the first of them runs. One that
// comes once in ten thousands is not in the cache, and so the processor
// waits for many at a time instead of for each by itself.
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

// Flush adds pending sums to up to so many results, or members with an accumulator.
func (s *Segment) Flush(n int) { s.queue.flush(n) }

// FlushAll adds all that are pending.
func (s *Segment) FlushAll() { s.queue.flush(math.MaxInt) }

// Pending returns to how many results, or members with an accumulator, sums are to be
// added.
func (s *Segment) Pending() int { return s.queue.pending }

// Drain tells that the segment has ended and nothing is pending any more.
func (s *Segment) Drain() { s.drained.Store(true) }

// Close frees what the segment has besides Go's memory. No batch is under way that it
// runs, and none will be. Twice is fine.
func (s *Segment) Close() {
	if !s.began.Load() {
		s.Drain() // the loop will not turn to it any more
	}
	s.run.answers.close()
}
