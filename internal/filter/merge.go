package filter

// maxTests bounds the tests of all filters: merging makes new ones.
const maxTests = 2 << 20

// merge puts a test and tests of the same term behind it together where they
// ask for one interval: "x >= a" before "x <= b", or two networks side by side.
// It also drops tests that the first one has decided.
func (n *nodes) merge(t predicate, yes, no nodeID) (predicate, nodeID, nodeID) {
	for {
		if u, b, same := n.sameTerm(t, yes); same {
			if merged, onYes, ok := t.mergeYes(u, b, no); ok {
				t, yes = merged, onYes
				continue
			}
		}
		u, b, same := n.sameTerm(t, no)
		if !same {
			return t, yes, no
		}
		merged, onYes, onNo, ok := t.mergeNo(u, b, yes, n.info[t.term].max)
		if !ok {
			return t, yes, no
		}
		t, yes, no = merged, onYes, onNo
	}
}

// sameTerm returns the test of a node if it is of the same term as t.
func (n *nodes) sameTerm(t predicate, id nodeID) (predicate, node, bool) {
	if id <= accept {
		return t, node{}, false
	}
	b := n.nodes[id]
	u := n.tests[b.test]
	return u, b, u.term == t.term
}

// mergeYes merges u, which node b makes if t holds. If t does not hold, no
// follows.
func (t predicate) mergeYes(u predicate, b node, no nodeID) (merged predicate, yes nodeID, ok bool) {
	switch {
	case u.lo <= t.lo && t.hi <= u.hi:
		return t, b.yes, true
	case t.hi < u.lo || u.hi < t.lo:
		return t, b.no, true
	case b.no == no:
		return predicate{t.term, max(t.lo, u.lo), min(t.hi, u.hi)}, b.yes, true
	case b.yes == no:
		if rest, ok := t.without(u); ok {
			return rest, b.no, true
		}
	}
	return t, 0, false
}

// mergeNo merges u, which node b makes if t does not hold. If t holds, yes
// follows. Values go up to limit.
func (t predicate) mergeNo(u predicate, b node, yes nodeID, limit uint32) (merged predicate, y, n nodeID, ok bool) {
	low, high := min(t.lo, u.lo), max(t.hi, u.hi)
	adjacent := uint64(max(t.lo, u.lo)) <= uint64(min(t.hi, u.hi))+1
	switch {
	case t.lo <= u.lo && u.hi <= t.hi:
		return t, yes, b.no, true
	case adjacent && low == 0 && high == limit:
		return t, yes, b.yes, true
	case adjacent && b.yes == yes:
		return predicate{t.term, low, high}, yes, b.no, true
	case b.no == yes:
		if rest, ok := u.without(t); ok {
			return rest, b.yes, yes, true
		}
	}
	return t, 0, 0, false
}

// without returns the values of t that are not in u, if they are an interval.
// Some are.
func (t predicate) without(u predicate) (predicate, bool) {
	switch {
	case u.hi < t.lo || t.hi < u.lo:
		return t, true
	case u.lo <= t.lo:
		return predicate{t.term, u.hi + 1, t.hi}, true
	case t.hi <= u.hi:
		return predicate{t.term, t.lo, u.lo - 1}, true
	}
	return t, false
}
