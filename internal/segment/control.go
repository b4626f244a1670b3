package segment

import (
	"math"
	"slices"
	"time"

	"gomapi/internal/chain"
)

// A Candidate is a chain to build a segment of, in its state when building begins.
type Candidate struct {
	Chain    *chain.Chain
	User     uint32 // whose chain it is
	Alone    bool   // must not be shared
	CaughtUp bool   // every packet is for it: those from before its connect have passed
}

// searches reports whether a function of the chain searches for a string.
func (c Candidate) searches() bool {
	for i := range c.Chain.Steps {
		if c.Chain.Steps[i].Searcher() != nil {
			return true
		}
	}
	return false
}

// shareable returns how many of the chain's first functions other chains can share.
func (c *Candidate) shareable() (n int) {
	if c.Alone || !c.CaughtUp {
		return 0
	}
	for n < len(c.Chain.Steps) {
		if _, ok := c.Chain.Steps[n].SharedKey(); !ok {
			break
		}
		n++
	}
	return n
}

// Control is the state of a segment for the control side, guarded by the lock of the plans.
type Control struct {
	chain.Group
	Born   uint64         // generation of the first plan that has the segment
	chains []*chain.Chain // the segment was built of
	early  []*chain.Chain // not shared, because packets from before their connect might come
	ripe   bool           // all of early can be shared now
	asked  time.Time      // of the last check for ripe

	attachments []*chain.Attachment // of the chains that have one
	stats       Stats
}

func newControl(candidates []Candidate, attachments []*chain.Attachment) Control {
	c := Control{Born: math.MaxUint64, chains: make([]*chain.Chain, 0, len(candidates)), attachments: attachments}
	for _, cand := range candidates {
		c.chains = append(c.chains, cand.Chain)
		if !cand.CaughtUp {
			c.early = append(c.early, cand.Chain)
		}
	}
	return c
}

// Enter moves the chains into the segment. It returns those that must leave it at once,
// because others have begun to read their results while the segment was being built.
func (s *Control) Enter() (alone []*chain.Chain) {
	s.early = slices.DeleteFunc(s.early, (*chain.Chain).Closed)
	for _, c := range s.chains {
		if c.PassedBy {
			s.Gone++
			s.Passed = true
			continue
		}
		if c.Group, c.Shared = &s.Group, false; c.Closed() {
			s.Gone++
		}
	}
	for _, a := range s.attachments {
		if a.Enter(); a.Chain().Alone {
			alone = append(alone, a.Chain())
		}
	}
	return alone
}

// Fold folds the counts of replaced segments, once drained, into those of the chains.
func (s *Control) Fold() {
	for _, a := range s.attachments {
		a.Fold()
	}
}

// Has reports whether the chain is in this segment.
func (s *Control) Has(c *chain.Chain) bool { return c.Group == &s.Group }

// Chains returns the chains of which the segment was built, also those that have left.
func (s *Control) Chains() []*chain.Chain { return s.chains }

// Early returns how many chains are not shared because packets from before their connect
// might come.
func (s *Control) Early() int { return len(s.early) }

// Ripe reports whether all chains that could not be shared when the segment was built can
// be shared now, as of the last LookForRipe.
func (s *Control) Ripe() bool { return s.ripe }

// ripeEvery is the minimum time between checks for ripeness, because each check goes
// through the chains.
const ripeEvery = 50 * time.Millisecond

// LookForRipe updates Ripe, at most every ripeEvery.
func (s *Control) LookForRipe(now time.Time) {
	if len(s.early) > 0 && !s.ripe && now.Sub(s.asked) >= ripeEvery {
		s.asked = now
		s.ripe = !slices.ContainsFunc(s.early, func(c *chain.Chain) bool { return !c.CaughtUp(now) })
	}
}

// Stats describe how the chains of a segment are decided.
type Stats struct {
	Members        int // different prefilters
	Accumulators   int // members that are an accumulator
	Nodes          int // functions that run once for several chains, or search together
	SingleFilters  int // prefilters that the classifier runs one by one
	SingleSearches int // strings that are searched for one by one
}
