package filter

// What a filter can still come to.
const (
	canRefuse uint8 = 1 << iota
	canAccept
)

// outcomes finds what a filter can come to when an atom holds.
type outcomes struct {
	*nodes
	atom   atom
	known  []extent
	memo   memo
	visits int
}

func (o *outcomes) begin(n *nodes, a atom, known []extent) {
	o.nodes, o.atom, o.known, o.visits = n, a, known, 0
	o.memo.clear(len(n.nodes))
}

// of returns the outcomes of a node, not all of them once there are two.
func (o *outcomes) of(id nodeID) uint8 {
	switch id {
	case refuse:
		return canRefuse
	case accept:
		return canAccept
	}
	if v, done := o.memo.get(id); done {
		return uint8(v)
	}
	o.visits++
	n := o.nodes.nodes[id]
	v := o.ofTest(n, o.nodes.tests[n.test])
	o.memo.put(id, nodeID(v))
	return v
}

func (o *outcomes) ofTest(n node, t test) uint8 {
	if t.term == o.atom.term {
		switch (class{{o.atom.lo, o.atom.hi}}).relation(t.lo, t.hi) {
		case inside:
			return o.of(n.yes)
		case outside:
			return o.of(n.no)
		}
	}
	v := uint8(0)
	if !o.certain(t.term, o.known) {
		v = canRefuse
	}
	const both = canRefuse | canAccept
	if v |= o.of(n.yes); v != both && !o.isNeed(t) {
		v |= o.of(n.no)
	}
	return v
}
