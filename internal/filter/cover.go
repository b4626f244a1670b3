package filter

import "math"

// What an atom costs besides the part of packets that it lets through: a
// little for being there, and a share of reading the term in every packet.
const (
	pointCost = 1.0 / 65536
	readCost  = 1.0 / 16
)

// wide is the cost from which on a filter rather is taken to match by default.
const wide = 0.25

// An atom is an access test: filters are looked at when the value of the term
// is in the interval.
type atom struct {
	term   termID
	lo, hi uint32
}

// covering finds covers: sets of atoms of which each way through a filter that
// ends at the goal makes at least one true. So a filter whose atoms are all
// false cannot come to the goal.
type covering struct {
	*survey
	*sample
	goal  nodeID // accept or refuse
	turn  uint32
	made  []uint32
	cost  []float32
	by    []cut
	atoms []atom // of the last filter
}

// A cut says how the ways through a node are covered.
type cut uint8

const (
	cutBelow cut = iota // behind it, on both sides
	cutYes              // by the test's holding, and behind the other side
	cutNo               // by the test's failing, and behind the other side
)

// reset begins a new leaf.
func (c *covering) reset() {
	if c.turn++; c.turn == 0 {
		c.turn = 1
		clear(c.made)
	}
	size := len(c.nodes.nodes)
	c.made, c.cost, c.by = lengthened(c.made, size), lengthened(c.cost, size), lengthened(c.by, size)
}

// price returns the least cost of a cover; infinite if there is none.
func (c *covering) price(id nodeID) float64 {
	if id == c.goal {
		return math.Inf(1)
	}
	if id <= accept {
		return 0
	}
	if c.made[id] == c.turn {
		return float64(c.cost[id])
	}
	n := c.nodes.nodes[id]
	t := c.nodes.tests[n.test]
	yes, no, by := c.price(n.yes), 0.0, cutBelow
	best := yes
	if !c.isNeed(t) {
		no = c.price(n.no)
		best = yes + no
		if hold := c.weight(t.term, t.lo, t.hi) + no; hold < best {
			best, by = hold, cutYes
		}
		if fails := c.weightOutside(t) + yes; fails < best {
			best, by = fails, cutNo
		}
	}
	c.made[id], c.cost[id], c.by[id] = c.turn, float32(best), by
	return best
}

// weight returns what the atom costs.
func (c *covering) weight(id termID, lo, hi uint32) float64 {
	part := (float64(hi-lo) + 1) / (float64(c.info[id].max) + 1)
	return max(part, c.share(id, lo, hi)/2) + pointCost + readCost/float64(max(c.byTerm[id], 1))
}

// weightOutside returns what the atoms of the opposite of a test cost.
func (c *covering) weightOutside(t predicate) float64 {
	w := 0.0
	if t.lo > 0 {
		w += c.weight(t.term, 0, t.lo-1)
	}
	if limit := c.info[t.term].max; t.hi < limit {
		w += c.weight(t.term, t.hi+1, limit)
	}
	return w
}

// collect returns the atoms of the cover that price found, valid until the
// next call.
func (c *covering) collect(root nodeID) []atom {
	c.atoms = c.atoms[:0]
	c.seenNode.clear(len(c.nodes.nodes))
	c.stack = append(c.stack[:0], root)
	for len(c.stack) > 0 {
		id := c.stack[len(c.stack)-1]
		c.stack = c.stack[:len(c.stack)-1]
		if id <= accept || !c.seenNode.set(uint32(id)) {
			continue
		}
		n := c.nodes.nodes[id]
		t := c.nodes.tests[n.test]
		switch {
		case c.by[id] == cutYes:
			c.add(t.term, t.lo, t.hi)
			c.stack = append(c.stack, n.no)
		case c.by[id] == cutNo:
			if t.lo > 0 {
				c.add(t.term, 0, t.lo-1)
			}
			if limit := c.info[t.term].max; t.hi < limit {
				c.add(t.term, t.hi+1, limit)
			}
			c.stack = append(c.stack, n.yes)
		default:
			c.stack = append(c.stack, n.no, n.yes)
		}
	}
	return c.atoms
}

// add adds an atom, unless the last ones say the same.
func (c *covering) add(t termID, lo, hi uint32) {
	a := atom{t, lo, hi}
	for _, o := range c.atoms[max(0, len(c.atoms)-8):] {
		if o == a {
			return
		}
	}
	c.atoms = append(c.atoms, a)
}
