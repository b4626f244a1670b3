package classify

import (
	"math/bits"

	"golang.org/x/sys/unix"
)

// maxTests limits the tests of all filters, because merging creates new ones.
const maxTests = 2 << 20

// A diagram numbers tests and nodes; equal ones have the same number (hash consing).
// Nodes can be discarded, the newest first.
type diagram struct {
	terms
	tests   []predicate
	testIDs map[predicate]testID
	nodes   []node
	table   []nodeID // hash table of nodes, linear probing; refuse marks a free slot
}

func newDiagram() *diagram {
	return &diagram{
		terms:   newTerms(),
		testIDs: make(map[predicate]testID),
		nodes:   make([]node, 2, 1024), // refuse and accept
		table:   make([]nodeID, 4096),
	}
}

// ifThenElse returns the node for "term in [lo, hi]".
func (d *diagram) ifThenElse(id termID, lo, hi uint32, yes, no nodeID) nodeID {
	if v, isConst := d.Value(id); isConst {
		if lo <= v && v <= hi {
			return yes
		}
		return no
	}
	id, lo, hi, possible := d.simplify(id, lo, hi)
	switch limit := d.info[id].max; {
	case !possible || lo > limit:
		return no
	case lo == 0 && hi >= limit:
		return yes
	default:
		return d.join(predicate{id, lo, min(hi, limit)}, yes, no, nil)
	}
}

// simplify replaces the result of a prefix mask or right shift by its operand: an
// interval of the result is an interval of the operand. possible is false if no value
// qualifies.
func (d *diagram) simplify(id termID, lo, hi uint32) (_ termID, l, h uint32, possible bool) {
	for {
		t := d.list[id]
		k, isConst := d.Value(t.b)
		if t.op != termArith || !isConst || lo > hi {
			return id, lo, hi, lo <= hi
		}
		switch {
		case t.arg == unix.BPF_RSH && k < 32:
			limit := d.info[t.a].max >> k
			if lo > limit {
				return id, lo, hi, false
			}
			lo, hi = lo<<k, min(hi, limit)<<k|(1<<k-1)
		case t.arg == unix.BPF_AND && k|(k&-k-1) == ones(d.info[t.a].max):
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

func (d *diagram) test(t predicate) testID {
	if id, known := d.testIDs[t]; known {
		return id
	}
	id := testID(len(d.tests))
	d.testIDs[t] = id
	d.tests = append(grow(d.tests, 1), t)
	return id
}

// present returns the node of a presence test, for packets with the known extents. It
// refuses packets in which the term has no value; all others continue with next.
func (d *diagram) present(id termID, next nodeID, known []extent) nodeID {
	if next == refuse || d.certain(id, known) || next != accept && d.implies(d.tests[d.nodes[next].test].term, id) {
		return next
	}
	return d.node(node{d.test(predicate{id, 0, d.info[id].max}), next, refuse})
}

// certain reports whether the term has a value in packets with these extents.
func (d *diagram) certain(id termID, known []extent) bool {
	info := &d.info[id]
	return !info.divides && covers(known, info.loads)
}

// implies reports whether b has a value in all packets in which a has one.
func (d *diagram) implies(a, b termID) bool {
	return a == b || d.certain(b, d.info[a].loads)
}

// isPresence reports whether a test is a presence test.
func (d *diagram) isPresence(t predicate) bool { return t.lo == 0 && t.hi == d.info[t.term].max }

// merge combines a test with tests of the same term behind it if together they ask for
// one interval: "x >= a" before "x <= b", or two adjacent networks. It also removes tests
// that the first one has decided.
func (d *diagram) merge(t predicate, yes, no nodeID) (predicate, nodeID, nodeID) {
	for {
		if u, b, same := d.sameTerm(t, yes); same {
			if merged, onYes, ok := t.mergeYes(u, b, no); ok {
				t, yes = merged, onYes
				continue
			}
		}
		u, b, same := d.sameTerm(t, no)
		if !same {
			return t, yes, no
		}
		merged, onYes, onNo, ok := t.mergeNo(u, b, yes, d.info[t.term].max)
		if !ok {
			return t, yes, no
		}
		t, yes, no = merged, onYes, onNo
	}
}

// sameTerm returns the test of a node if it tests the same term as t.
func (d *diagram) sameTerm(t predicate, id nodeID) (predicate, node, bool) {
	if id <= accept {
		return t, node{}, false
	}
	b := d.nodes[id]
	u := d.tests[b.test]
	return u, b, u.term == t.term
}

// join returns the node of a test, for packets with the known extents.
func (d *diagram) join(t predicate, yes, no nodeID, known []extent) nodeID {
	if len(d.tests) < maxTests {
		t, yes, no = d.merge(t, yes, no)
	}
	if yes == no || d.isPresence(t) {
		return d.present(t.term, yes, known)
	}
	if t.hi == d.info[t.term].max { // the same form for a comparison and its negation
		t, yes, no = predicate{t.term, 0, t.lo - 1}, no, yes
	}
	return d.node(node{d.test(t), yes, no})
}

// node returns the number of a node.
func (d *diagram) node(key node) nodeID {
	if 2*len(d.nodes) > len(d.table) {
		d.rehash()
	}
	at := d.slot(key)
	if d.table[at] == refuse {
		d.table[at] = nodeID(len(d.nodes))
		d.nodes = append(grow(d.nodes, 1), key)
	}
	return d.table[at]
}

// slot returns the slot of key in the table, or the free slot for it.
func (d *diagram) slot(key node) uint64 {
	h := (uint64(key.test)<<32 | uint64(key.yes)) * 0x9e3779b97f4a7c15
	h = (h ^ h>>29 ^ uint64(key.no)) * 0xff51afd7ed558ccd
	h = (h ^ h>>32) * 0xc4ceb9fe1a85ec53
	shift := 64 - bits.Len(uint(len(d.table)-1))
	for at := h >> shift; ; at = (at + 1) & uint64(len(d.table)-1) {
		if id := d.table[at]; id == refuse || d.nodes[id] == key {
			return at
		}
	}
}

func (d *diagram) rehash() {
	d.table = make([]nodeID, 2*len(d.table))
	for id := accept + 1; int(id) < len(d.nodes); id++ {
		d.table[d.slot(d.nodes[id])] = id
	}
}

// truncate discards all nodes except the first size. It empties the slots in reverse
// order, which keeps the probe sequences of older nodes intact.
func (d *diagram) truncate(size int) {
	for i := len(d.nodes) - 1; i >= size; i-- {
		d.table[d.slot(d.nodes[i])] = refuse
		d.nodes = d.nodes[:i]
	}
}
