package filter

import (
	"math/bits"

	"golang.org/x/sys/unix"
)

// A predicate asks whether a term's value lies in an interval. Equality, masks of
// networks, comparisons and their negations all have this form. One whose
// interval is every value asks only whether the term has one.
type predicate struct {
	term   termID
	lo, hi uint32
}

type testID uint32

// A node is a test and where its outcome leads. A packet for which the term has
// no value is refused. Nodes stand for filters: the same number, the same
// decision for every packet.
type node struct {
	test    testID
	yes, no nodeID
}

type nodeID uint32

const (
	refuse nodeID = 0
	accept nodeID = 1
)

// nodes numbers tests and nodes. Nodes can be given up again, the youngest
// first.
type nodes struct {
	terms
	tests   []predicate
	testIDs map[predicate]testID
	nodes   []node
	table   []nodeID // of nodes by hash, linear probing; refuse is a free slot
}

func newNodes() *nodes {
	return &nodes{
		terms:   newTerms(),
		testIDs: make(map[predicate]testID),
		nodes:   make([]node, 2, 1024), // refuse and accept
		table:   make([]nodeID, 4096),
	}
}

// branch returns the node for "term in [lo, hi]".
func (n *nodes) branch(id termID, lo, hi uint32, yes, no nodeID) nodeID {
	if v, isConst := n.value(id); isConst {
		if lo <= v && v <= hi {
			return yes
		}
		return no
	}
	id, lo, hi, possible := n.simplify(id, lo, hi)
	switch limit := n.info[id].max; {
	case !possible || lo > limit:
		return no
	case lo == 0 && hi >= limit:
		return yes
	default:
		return n.join(predicate{id, lo, min(hi, limit)}, yes, no, nil)
	}
}

// simplify looks through prefix masks and right shifts: what is asked of the
// result is an interval of the operand. possible is false if no value does.
func (n *nodes) simplify(id termID, lo, hi uint32) (_ termID, l, h uint32, possible bool) {
	for {
		t := n.list[id]
		k, isConst := n.value(t.b)
		if t.op != termArith || !isConst || lo > hi {
			return id, lo, hi, lo <= hi
		}
		switch {
		case t.arg == unix.BPF_RSH && k < 32:
			limit := n.info[t.a].max >> k
			if lo > limit {
				return id, lo, hi, false
			}
			lo, hi = lo<<k, min(hi, limit)<<k|(1<<k-1)
		case t.arg == unix.BPF_AND && k|(k&-k-1) == ones(n.info[t.a].max):
			low := k&-k - 1 // the bits that the mask clears
			if lo > k {
				return id, lo, hi, false
			}
			lo, hi = (lo+low)&^low, min(hi, k)&^low|low
		default:
			return id, lo, hi, true
		}
		id = t.a
	}
}

func (n *nodes) test(t predicate) testID {
	if id, known := n.testIDs[t]; known {
		return id
	}
	id := testID(len(n.tests))
	n.testIDs[t] = id
	n.tests = append(roomy(n.tests, 1), t)
	return id
}

// need returns the node that refuses packets for which the term has no value,
// among those that are not known to have the extents, and for the rest leads
// on to next.
func (n *nodes) need(id termID, next nodeID, known []extent) nodeID {
	if next == refuse || n.certain(id, known) || next != accept && n.implies(n.tests[n.nodes[next].test].term, id) {
		return next
	}
	return n.node(node{n.test(predicate{id, 0, n.info[id].max}), next, refuse})
}

// certain tells whether the term has a value in packets with these extents.
func (n *nodes) certain(id termID, known []extent) bool {
	info := &n.info[id]
	return !info.divides && covers(known, info.loads)
}

// implies tells whether packets for which a has a value have one for b.
func (n *nodes) implies(a, b termID) bool {
	return a == b || n.certain(b, n.info[a].loads)
}

// isNeed tells whether a test only asks for the presence of a value.
func (n *nodes) isNeed(t predicate) bool { return t.lo == 0 && t.hi == n.info[t.term].max }

// join returns the node of a test among packets that have the extents.
func (n *nodes) join(t predicate, yes, no nodeID, known []extent) nodeID {
	if len(n.tests) < maxTests {
		t, yes, no = n.merge(t, yes, no)
	}
	if yes == no || n.isNeed(t) {
		return n.need(t.term, yes, known)
	}
	if t.hi == n.info[t.term].max { // one form for a comparison and its negation
		t, yes, no = predicate{t.term, 0, t.lo - 1}, no, yes
	}
	return n.node(node{n.test(t), yes, no})
}

// node numbers a node.
func (n *nodes) node(key node) nodeID {
	if 2*len(n.nodes) > len(n.table) {
		n.grow()
	}
	at := n.slot(key)
	if n.table[at] == refuse {
		n.table[at] = nodeID(len(n.nodes))
		n.nodes = append(roomy(n.nodes, 1), key)
	}
	return n.table[at]
}

// slot returns where key is in the table, or the free slot where it belongs.
func (n *nodes) slot(key node) uint64 {
	h := (uint64(key.test)<<32 | uint64(key.yes)) * 0x9e3779b97f4a7c15
	h = (h ^ h>>29 ^ uint64(key.no)) * 0xff51afd7ed558ccd
	h = (h ^ h>>32) * 0xc4ceb9fe1a85ec53
	shift := 64 - bits.Len(uint(len(n.table)-1))
	for at := h >> shift; ; at = (at + 1) & uint64(len(n.table)-1) {
		if id := n.table[at]; id == refuse || n.nodes[id] == key {
			return at
		}
	}
}

func (n *nodes) grow() {
	n.table = make([]nodeID, 2*len(n.table))
	for id := accept + 1; int(id) < len(n.nodes); id++ {
		n.table[n.slot(n.nodes[id])] = id
	}
}

// truncate gives up all nodes but the first size. Emptying the slots in
// reverse order keeps the probe sequences of older nodes whole.
func (n *nodes) truncate(size int) {
	for i := len(n.nodes) - 1; i >= size; i-- {
		n.table[n.slot(n.nodes[i])] = refuse
		n.nodes = n.nodes[:i]
	}
}
