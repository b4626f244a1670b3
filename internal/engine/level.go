package engine

import (
	"math"
	"strings"
	"sync/atomic"
	"time"

	"gomapi/internal/bpf"
	"gomapi/internal/classify"
	"gomapi/internal/pkt"
)

// A level is chains that are decided together: one classifier for their leading
// filters, one branch for those with the same filter. The settler builds it and
// nobody changes it, but for the counts of its branches, which belong to the capture
// goroutine.
type level struct {
	all      *branch  // chains without a leading filter; nil: none
	members  []member // by leading filter
	scratch  classify.Scratch
	types    []typedClassifier
	ledgers  ledgers
	shares   []*share      // of the chains that have one
	dirty    queue         // branches with sums that were not handed on
	answers  *answers      // nil: nothing to search for
	searches int           // strings that it does not search for
	lists    []*pkt.Packet // those that searches are taking through their branches
	begun    atomic.Bool   // the loop has turned to it
	settled  *atomic.Bool  // it has ended, and all sums were handed on

	// For the control side, guarded by Engine.mu.
	born   uint64    // generation of the first plan that has it; never: it was not published
	chains []*chain  // it was made of
	dead   int       // of them, closed
	looked time.Time // when the settler last asked whether these can be shared now
	early  []*chain  // not shared because packets from before their connect might come
}

// never is the generation of no plan.
const never = math.MaxUint64

// A member is what one leading filter lets packets through to: a single chain, a
// branch, or if there is neither a ledger.
type member struct {
	chain  *chain
	branch *branch
}

func newMember(root *branch) member {
	if len(root.next) == 0 && len(root.search.all) == 0 && len(root.tails) == 1 {
		return member{chain: root.tails[0].chain}
	}
	return member{branch: root}
}

// run takes packets through the member.
func (m member) run(l *loop, lv *level, in []*pkt.Packet) {
	if m.chain != nil {
		m.chain.take(l, in)
		return
	}
	m.branch.run(l, lv, in)
}

// typedClassifier decides the leading filters for packets of one link type. Its
// members are those of the level.
type typedClassifier struct {
	linkType uint16
	*classify.Classifier
}

// newLevel makes a level of chains, whose filters stand for all link types. It takes
// up to seconds. An error says why they cannot be searched together for their strings;
// search says whether that is to be tried.
func newLevel(chains []settling, types []uint16, search bool) (*level, error) {
	lv := &level{chains: make([]*chain, 0, len(chains)), born: never, settled: new(atomic.Bool)}
	for _, s := range chains {
		lv.chains = append(lv.chains, s.chain)
	}
	open, groups := byFilter(chains, types)
	g := grower{level: lv, patterns: newPatterns(chains)}
	if !search {
		g.patterns.drop()
	}
	lv.searches = g.patterns.left()
	if len(open) > 0 {
		lv.all = g.root(open)
	}
	lv.members = make([]member, 0, len(groups))
	lv.ledgers.fit(len(groups))
	for m, group := range groups {
		if len(group) == 1 {
			if sh := lv.ledgers.open(m, group[0]); sh != nil {
				sh.ended = lv.settled
				lv.shares, lv.members = append(lv.shares, sh), append(lv.members, member{})
				continue
			}
		}
		lv.members = append(lv.members, newMember(g.root(group)))
	}
	lv.ledgers.known = nil
	for _, lt := range types {
		programs := make([]*bpf.Program, len(groups))
		for m, group := range groups {
			programs[m] = group[0].chain.lead.classifier.Program(lt)
		}
		c := classify.NewClassifier(programs)
		lv.scratch.Fit(c)
		lv.types = append(lv.types, typedClassifier{lt, c})
	}
	lv.dirty.fit(g.sums)
	return lv, g.fitAnswers()
}

// byFilter returns the chains without a leading filter, and groups of those with the same.
func byFilter(chains []settling, types []uint16) (open []settling, groups [][]settling) {
	index := make(map[string]int, len(chains)) // of the group, by key of the filter
	of := make([]int, len(chains))
	var sizes []int
	for i, s := range chains {
		if s.chain.lead == nil {
			open, of[i] = append(open, s), -1
			continue
		}
		key := s.chain.lead.key(types)
		g, known := index[key]
		if !known {
			g = len(sizes)
			index[key], sizes = g, append(sizes, 0)
		}
		of[i], sizes[g] = g, sizes[g]+1
	}
	groups = make([][]settling, len(sizes))
	room := make([]settling, len(chains)-len(open))
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

// key names the filter's programs for all link types: filters with equal keys
// match the same packets.
func (a *applied) key(types []uint16) string {
	if len(types) == 1 {
		return a.programKey(types[0])
	}
	keys := make([]string, len(types))
	for i, lt := range types {
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

// run takes packets of one link type, which lie one behind the other, through the
// level.
func (lv *level) run(l *loop, s *scratch, pkts []pkt.Packet, ptrs []*pkt.Packet) {
	if lv.all != nil {
		lv.all.run(l, lv, ptrs)
	}
	c := lv.classifier(ptrs[0].LinkType)
	if c != nil && len(lv.members) > 0 {
		c.Classify(&lv.scratch, pkts, s.matches)
		lv.dispatch(l, s, ptrs)
	}
	lv.answers.forget()
}

// fetch looks at what members keep in memory before the first of them runs. One that
// comes once in ten thousands is not in the cache, and so the processor
// waits for many at a time instead of for each by itself.
func (lv *level) fetch(s *scratch, members []uint32) {
	var sum uint64
	for _, m := range members {
		sum += uint64(lv.ledgers.list[m].kind)
	}
	for _, m := range members {
		if c := lv.members[m].chain; c != nil {
			sum += c.since
		}
	}
	for _, m := range members {
		if c := lv.members[m].chain; c != nil {
			for i := range c.steps {
				sum += c.steps[i].packets.Load()
			}
		}
	}
	s.fetched = sum
}

// classifier returns the classifier for a link type, nil for one of those beyond
// maxLinkTypes.
func (lv *level) classifier(linkType uint16) *classify.Classifier {
	for i := range lv.types {
		if lv.types[i].linkType == linkType {
			return lv.types[i].Classifier
		}
	}
	return nil
}

// dispatch runs the members with the packets that match them.
func (lv *level) dispatch(l *loop, s *scratch, ptrs []*pkt.Packet) {
	s.touched = s.matches.Members(s.touched[:0])
	lv.fetch(s, s.touched)
	for _, m := range s.touched {
		set := s.matches.Take(m)
		if in := set.Of(ptrs, s.list[:0]); !lv.ledgers.enter(m, in) {
			lv.members[m].run(l, lv, in)
		}
	}
}

// hand gives instances their sums, so many in branches and as many in ledgers.
func (lv *level) hand(n int) {
	lv.dirty.hand(n)
	lv.ledgers.hand(n)
}

// owes returns how many instances, or members with a ledger, were not handed theirs.
func (lv *level) owes() int { return lv.dirty.owes + lv.ledgers.n }

// handAll gives all instances their sums.
func (lv *level) handAll() {
	lv.dirty.handAll()
	lv.ledgers.hand(lv.ledgers.n)
}
