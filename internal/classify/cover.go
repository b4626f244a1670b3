package classify

import (
	"math"
	"slices"
)

// The cost of an access predicate, in addition to the fraction of packets that it
// accepts: a small cost for its existence, and a share of the cost of reading the term in
// every packet.
const (
	pointCost = 1.0 / 65536
	readCost  = 1.0 / 16
)

// wide is the cost from which on a filter is preferably treated as matching by default.
const wide = 0.25

// A coverSearch finds covers. A cover is a set of access predicates such that each way
// through a filter to the goal makes at least one true. So a filter whose access
// predicates are all false cannot reach the goal.
type coverSearch struct {
	*statistics
	*selectivity
	goal   nodeID // accept or refuse
	priced set
	cost   []float32
	by     []cut
	cover  []predicate // of the last filter
}

// A cut says how the ways through a node are covered.
type cut uint8

const (
	cutBelow cut = iota // behind the node, on both sides
	cutYes              // by the test if it holds, and behind the node if not
	cutNo               // by the test if it fails, and behind the node if not
)

// reset starts a new leaf.
func (c *coverSearch) reset() {
	size := len(c.nodes)
	c.priced.clear(size)
	c.cost, c.by = resize(c.cost, size), resize(c.by, size)
}

// price returns the minimum cost of a cover, infinite if there is none.
func (c *coverSearch) price(id nodeID) float64 {
	if id == c.goal {
		return math.Inf(1)
	}
	if id <= accept {
		return 0
	}
	if c.priced.has(uint32(id)) {
		return float64(c.cost[id])
	}
	n := c.nodes[id]
	t := c.tests[n.test]
	yes, no, by := c.price(n.yes), 0.0, cutBelow
	best := yes
	if !c.isPresence(t) {
		no = c.price(n.no)
		best = yes + no
		if hold := c.weight(t) + no; hold < best {
			best, by = hold, cutYes
		}
		fails := yes
		c.opposite(t, func(p predicate) { fails += c.weight(p) })
		if fails < best {
			best, by = fails, cutNo
		}
	}
	c.priced.add(uint32(id))
	c.cost[id], c.by[id] = float32(best), by
	return best
}

// weight returns the cost of an access predicate.
func (c *coverSearch) weight(p predicate) float64 {
	part := (float64(p.hi-p.lo) + 1) / (float64(c.info[p.term].max) + 1)
	return max(part, c.share(p)/2) + pointCost + readCost/float64(max(c.byTerm[p.term], 1))
}

// opposite calls each for the intervals of the values outside a test's interval.
func (c *coverSearch) opposite(t predicate, each func(predicate)) {
	if t.lo > 0 {
		each(predicate{t.term, 0, t.lo - 1})
	}
	if limit := c.info[t.term].max; t.hi < limit {
		each(predicate{t.term, t.hi + 1, limit})
	}
}

// collect returns the cover that price found, valid until the next call.
func (c *coverSearch) collect(root nodeID) []predicate {
	c.cover = c.cover[:0]
	c.seenNode.clear(len(c.nodes))
	c.stack = append(c.stack[:0], root)
	for len(c.stack) > 0 {
		id := c.stack[len(c.stack)-1]
		c.stack = c.stack[:len(c.stack)-1]
		if id <= accept || !c.seenNode.add(uint32(id)) {
			continue
		}
		n := c.nodes[id]
		t := c.tests[n.test]
		switch {
		case c.by[id] == cutYes:
			c.add(t)
			c.stack = append(c.stack, n.no)
		case c.by[id] == cutNo:
			c.opposite(t, c.add)
			c.stack = append(c.stack, n.yes)
		default:
			c.stack = append(c.stack, n.no, n.yes)
		}
	}
	return c.cover
}

// add adds a predicate, unless it was added recently.
func (c *coverSearch) add(p predicate) {
	if !slices.Contains(c.cover[max(0, len(c.cover)-8):], p) {
		c.cover = append(c.cover, p)
	}
}
