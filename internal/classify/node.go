package classify

// A predicate tests whether a term's value lies in an interval. Equality, masks of
// networks, comparisons and their negations all have this form. If the interval contains
// every value, the predicate is a presence test: it tests only whether the term has a
// value.
type predicate struct {
	term   termID
	lo, hi uint32
}

type testID uint32

// A node is a test and the nodes to which its outcomes lead, as in a binary decision
// diagram. A packet in which the term has no value is refused. A node represents a
// filter: equal numbers mean equal decisions for every packet.
type node struct {
	test    testID
	yes, no nodeID
}

type nodeID uint32

const (
	refuse nodeID = 0
	accept nodeID = 1
)

// mergeYes merges t with u, the test of node b, which follows if t holds. If t does not
// hold, no follows.
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

// mergeNo merges t with u, the test of node b, which follows if t does not hold. If t
// holds, yes follows. limit is the greatest value.
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

// without returns the values of t that are not in u, if they form an interval. There is
// at least one.
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
