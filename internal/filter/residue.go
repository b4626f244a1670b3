package filter

// A check decides what is left of a filter when an atom holds, in a leaf. It
// is cheaper than the program, which would begin with the first header.
type check struct {
	field   uint32 // number in Classifier.fields
	lo      uint32
	width   uint32 // of the interval from lo on, less one
	yes, no uint32 // checkRefuse, checkAccept, or the next check
}

const (
	checkRefuse uint32 = iota
	checkAccept
	firstCheck
	noCheck uint32 = checkRefuse // of a link: no check is that
)

// Bounds of checks.
const (
	maxCheck     = 12       // tests in one; longer ones are left to the program
	maxChecks    = 1 << 20  // of all leaves
	maxResidue   = 64 << 10 // nodes looked at for one filter of a leaf
	maxResidues  = 16 << 20 // and for all filters of all leaves
	maxMadeNodes = 1 << 20  // nodes made for one leaf
)

// residues finds what atoms leave of the filters of a leaf.
type residues struct {
	*builder
	known  []extent          // of the leaf's ordinary packets
	checks map[nodeID]uint32 // made for this leaf
	first  int               // nodes before this leaf

	filter nodeID
	size   int           // nodes of the filter
	effort int           // nodes looked at for the filter
	plain  map[atom]bool // atoms that decide it by themselves
}

func newResidues(b *builder, known []extent) *residues {
	return &residues{
		builder: b, known: known, first: len(b.nodes.nodes),
		checks: make(map[nodeID]uint32), plain: make(map[atom]bool),
	}
}

// begin turns to another filter.
func (r *residues) begin(p planned) {
	r.filter, r.size, r.effort = p.node, r.survey.sizeOf(p.node), 0
	if len(r.plain) > 64 {
		r.plain = make(map[atom]bool)
	}
	clear(r.plain)
	r.findPlain(p.deny)
}

// of returns what is left of the filter when an atom holds. ok is false if that
// is not known.
func (r *residues) of(a atom) (rest nodeID, ok bool) {
	if r.effort += r.size; r.effort > maxResidue || r.residued > maxResidues || len(r.nodes.nodes)-r.first > maxMadeNodes {
		return 0, false
	}
	r.residued += r.size
	return r.narrow(a), true
}

func (r *residues) narrow(a atom) nodeID {
	r.memo.clear(len(r.nodes.nodes))
	n := restriction{
		nodes: r.nodes, term: a.term, class: class{{a.lo, a.hi}},
		known: widen(r.known, r.info[a.term].loads), memo: &r.memo,
	}
	return n.restrict(r.filter)
}

// check returns the check for a rest; noCheck if it is too long.
func (r *residues) check(rest nodeID) uint32 {
	size := r.survey.sizeOf(rest)
	if size > maxCheck || len(r.Classifier.checks)+size > maxChecks {
		return noCheck
	}
	return r.make(rest)
}

func (r *residues) make(id nodeID) uint32 {
	if id <= accept {
		return uint32(id) // checkRefuse, checkAccept
	}
	if at, made := r.checks[id]; made {
		return at
	}
	n := r.nodes.nodes[id]
	t := r.tests[n.test]
	c := check{field: r.numbered(t.term), lo: t.lo, width: t.hi - t.lo, yes: r.make(n.yes), no: r.make(n.no)}
	at := uint32(len(r.Classifier.checks)) + firstCheck
	r.Classifier.checks = append(r.Classifier.checks, c)
	r.checks[id] = at
	return at
}

// findPlain finds the atoms that decide the filter by themselves because it is a
// plain list of alternatives, or for deny of exceptions.
func (r *residues) findPlain(deny bool) {
	goal := accept
	if deny {
		goal = refuse
	}
	for id := r.filter; id > accept; {
		n := r.nodes.nodes[id]
		t := r.tests[n.test]
		switch {
		case !r.certain(t.term, r.known):
			return
		case r.isNeed(t):
			id = n.yes
		case n.yes == goal:
			r.plain[atom(t)] = true
			id = n.no
		default:
			return
		}
	}
}

// entry returns the entry of an atom of a filter, with the check that goes with
// it; wanted is false if packets of the atom always come to what the filter does
// without an entry.
func (r *residues) entry(p planned, a atom) (e entry, check uint32, wanted bool) {
	e = r.builder.entry(p.bundle)
	against := refuse
	if p.deny {
		e |= exclude
		against = accept
	}
	if r.plain[a] {
		return e, noCheck, true
	}
	rest, known := r.of(a)
	switch {
	case !known:
		return e | verify, noCheck, true
	case rest == against:
		return 0, noCheck, false
	case rest <= accept:
		return e, noCheck, true
	}
	return e | verify, r.check(rest), true
}
