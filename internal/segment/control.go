package segment

import (
	"math"
	"slices"
	"time"

	"gomapi/internal/chain"
)

// A Candidate is a chain as it is when a segment is begun to be built of it.
type Candidate struct {
	Chain    *chain.Chain
	Alone    bool // it is not to be shared
	CaughtUp bool // it sees all packets: those from before its connect have passed
}

// Control is what those who make plans know of a segment, guarded by what guards these.
type Control struct {
	chain.Group
	Born   uint64         // generation of the first plan that has it
	chains []*chain.Chain // it was made of
	early  []*chain.Chain // not shared because packets from before their connect might come
	ripe   bool           // now they can be shared
	asked  time.Time      // when that was last looked for

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

// Enter makes the chains those of the segment. It returns those that are to be shared no
// more: their results are read by others since the segment was begun to be built.
func (s *Control) Enter() (alone []*chain.Chain) {
	s.early = slices.DeleteFunc(s.early, (*chain.Chain).Closed)
	for _, c := range s.chains {
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

// Fold folds into the chains' counts what segments have counted that this one has
// replaced.
func (s *Control) Fold() {
	for _, a := range s.attachments {
		a.Fold()
	}
}

// Has reports whether it is this segment that has the chain.
func (s *Control) Has(c *chain.Chain) bool { return c.Group == &s.Group }

// Chains returns those of which it was made, also those that have gone.
func (s *Control) Chains() []*chain.Chain { return s.chains }

// Early returns how many of them are not shared because packets from before their
// connect might come.
func (s *Control) Early() int { return len(s.early) }

// Ripe reports whether there were chains that could not be shared when the segment was
// built, and now can, as far as LookForRipe has seen.
func (s *Control) Ripe() bool { return s.ripe }

// ripeEvery is the time between looks for what is ripe, each of which goes through the
// chains.
const ripeEvery = 50 * time.Millisecond

// LookForRipe brings Ripe up to date, from time to time only.
func (s *Control) LookForRipe(now time.Time) {
	if len(s.early) > 0 && !s.ripe && now.Sub(s.asked) >= ripeEvery {
		s.asked = now
		s.ripe = !slices.ContainsFunc(s.early, func(c *chain.Chain) bool { return !c.CaughtUp(now) })
	}
}

// Stats say how the chains of a segment are decided.
type Stats struct {
	Members        int // different prefilters
	Accumulators   int // of these, with the sums of one chain
	Nodes          int // functions that run once for several chains, or search together
	SingleFilters  int // prefilters that run by themselves
	SingleSearches int // strings that are not searched for together with the others
}
