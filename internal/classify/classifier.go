package classify

import (
	"slices"

	"gomapi/internal/bpf"
	"gomapi/internal/fair"
)

// A Classifier decides which of many filters match a packet. It is immutable. Any number
// of goroutines may use it, each with its own Scratch. Its members are compiled for one
// link type, which its packets must have.
//
// A packet passes through the decision tree, a few splits by fields with few values, to a
// leaf. The leaf's indexes lead from the values of other fields to the filters that can
// match. If this is not enough to decide, the filters' programs run. docs/classifier.md
// explains all of this.
type Classifier struct {
	fieldSet
	groupSet
	root    int32
	splits  []split
	leaves  []leaf
	words   []uint32 // posting lists: see list.go
	checks  []check
	singles []uint32 // groups that run for every packet
	stats   Stats
}

// NewClassifier creates a classifier whose member i has the filter programs[i]. A nil
// program never matches, so that a filter that does not compile for this link type keeps
// its place. Equal programs are decided once. There must be fewer than 2^28 members. It
// runs on the control side: tens of thousands of filters may take seconds. Its time and
// memory are bounded for any filters.
func NewClassifier(programs []*bpf.Program) *Classifier { return newClassifier(programs, owners{}) }

// NewShared is NewClassifier for the programs of several users: those of member i are users[i], at
// least one. The limits are divided between users, so that those whose filters exceed them do not
// affect others.
func NewShared(programs []*bpf.Program, users [][]uint32) *Classifier {
	return newClassifier(programs, newOwners(users))
}

func newClassifier(programs []*bpf.Program, o owners) *Classifier {
	s := newShares(o.n)
	c := build(programs, &o, s)
	if s.short && o.n > 1 {
		c = build(programs, &o, s.leveled())
	}
	return c
}

// build makes the classifier with these shares.
func build(programs []*bpf.Program, o *owners, s *shares) *Classifier {
	c := &Classifier{groupSet: newGroupSet(programs)}
	c.stats.Members, c.stats.Programs = len(programs), len(c.groups)
	p := newPlanner(newDiagram(), c.groupSet, o, s)
	filters := c.readAll(p)
	p.count(filters)
	b := treeBuilder{planner: p}
	c.root = b.tree(filters, nil, budget{
		splits: maxSplits,
		copies: 16*len(filters) + 1<<16,
		work:   min(64*p.size, maxWork) + 1<<20,
	})
	c.take(&b)
	return c
}

// readAll reads the distinct programs and returns those that could be read; the others
// run singly. Users read their short programs first, and the user who has used the least of the
// limits reads next.
func (c *Classifier) readAll(p *planner) []filter {
	r := newReader(p.diagram)
	filters := make([]filter, 0, len(c.groups))
	done := make([]bool, len(c.groups))
	size := 0
	fair.Fill(p.owners.claims(&c.groupSet, c.byLength()), func(int) float64 { return 0 }, func(i int) (float64, bool) {
		if done[i] {
			return 0, true
		}
		done[i] = true
		before := r.usage()
		n, why := r.read(c.groups[i].program)
		used := p.sizeOf(n)
		if size += used; why == expressed && size > maxAllSizes {
			why = noBudget
		}
		if why != expressed {
			c.singles = append(c.singles, uint32(i))
			c.stats.count(why)
		} else if n != refuse {
			filters = append(filters, filter{uint32(i), n})
		}
		return max(r.usage().since(before), float64(used)/maxAllSizes), true
	})
	return filters
}

// take takes over the result of b, without the spare capacity of its slices.
func (c *Classifier) take(b *treeBuilder) {
	c.splits, c.leaves = clipped(b.splits), clipped(b.leaves)
	c.groups, c.members = clipped(b.groups.groups), clipped(b.groups.members)
	c.fields, c.trees = clipped(b.fields.fields), clipped(b.fields.trees)
	c.checks = clipped(b.residuals.checks)
	var places []uint32
	c.words, places = b.lists.encode(&c.groupSet, c.checks)
	for i := range c.leaves {
		l := &c.leaves[i]
		l.every = places[l.every]
		for j := range l.indexes {
			l.indexes[j].move(places)
		}
	}
	c.stats.Splits, c.stats.Leaves, c.stats.Unindexed = len(c.splits), len(c.leaves), b.unindexed
	c.stats.Bytes = c.bytes()
}

func clipped[S ~[]E, E any](s S) S { return slices.Clip(slices.Clone(s)) }

// bytes returns the memory that c holds, without the programs.
func (c *Classifier) bytes() int {
	n := bytesOf(c.splits) + bytesOf(c.leaves) + bytesOf(c.words) + bytesOf(c.checks) + bytesOf(c.fields) + bytesOf(c.trees) +
		bytesOf(c.groups) + bytesOf(c.members) + bytesOf(c.groupOf) + bytesOf(c.singles)
	for i := range c.splits {
		n += bytesOf(c.splits[i].start) + bytesOf(c.splits[i].next)
	}
	for i := range c.leaves {
		l := &c.leaves[i]
		n += bytesOf(l.byDefault) + bytesOf(l.lengths) + bytesOf(l.indexes)
		for j := range l.indexes {
			x := &l.indexes[j]
			n += bytesOf(x.dense) + bytesOf(x.slots) + bytesOf(x.bitmap) + bytesOf(x.ranges) + bytesOf(x.top)
		}
	}
	return n
}

// Stats returns the statistics of c. Any goroutine may call it.
func (c *Classifier) Stats() Stats { return c.stats }

// Len returns the number of members.
func (c *Classifier) Len() int { return len(c.groupOf) }

// Singly returns for each member whether its program runs for every packet, nil if none does.
func (c *Classifier) Singly() []bool {
	if len(c.singles) == 0 {
		return nil
	}
	groups, singly := make([]bool, len(c.groups)), make([]bool, len(c.groupOf))
	for _, b := range c.singles {
		groups[b] = true
	}
	for m, b := range c.groupOf {
		singly[m] = b != noGroup && groups[b]
	}
	return singly
}
