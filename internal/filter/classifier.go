package filter

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
	words   []uint32 // lists: see list.go
	checks  []check
	fields  []field // that checks ask for
	trees   []term  // terms that are no simple fields
	bundles []bundle
	members []uint32 // of bundles
	groups  []uint32 // by member: the bundle of those with an equal program
	singles []uint32 // bundles that run for every packet
	stats   Stats
}

// A bundle is members for which the same program decides: those with equal
// programs, or those of which a leaf leaves the same to be decided.
type bundle struct {
	program  *Program
	from, to uint32 // in members
}

// NewClassifier makes a classifier whose member i has the filter programs[i].
// A nil program never matches: so a filter that does not compile for this link
// type keeps its place. Equal programs are decided once. It must have fewer
// than 2^28 members. It belongs to the control side: it may take seconds for
// tens of thousands of filters, and its time and memory are bounded for any.
func NewClassifier(programs []*Program) *Classifier {
	c := &Classifier{count: len(programs)}
	c.group(programs)
	n := newNodes()
	b := builder{nodes: n, Classifier: c, survey: survey{nodes: n}, made: make(map[termID]field), asked: make(map[termID]uint32), lists: lists{list: make([]list, 1)}}
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
	c.finish(&b.lists)
	return c
}

// Len returns the number of members.
func (c *Classifier) Len() int { return c.count }
