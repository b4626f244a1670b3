package classify

// Limits of checks.
const (
	maxCheck     = 12       // tests in one check; a longer one is left to the program
	maxChecks    = 1 << 20  // of all leaves
	maxEffort    = 64 << 10 // nodes visited for one filter of a leaf
	maxAllEffort = 16 << 20 // nodes visited for all filters of all leaves
	maxMadeNodes = 1 << 20  // nodes made for one leaf
)

// Residuals are the decisions that access predicates leave open for the filters of a
// leaf.
type residuals struct {
	*statistics
	fields *fieldBuilder
	memo   *memo
	shares *shares
	checks []check // of all leaves

	// These are for the current leaf.
	known []extent          // extents of packets that the leaf does not truncate
	made  map[nodeID]uint32 // checks
	first int               // number of nodes before it

	// These are for the current filter.
	filter   nodeID
	payer    uint32
	size     int                // nodes
	effort   int                // nodes visited
	decisive map[predicate]bool // access predicates that decide the filter alone
}

// beginLeaf starts another leaf.
func (r *residuals) beginLeaf() { r.made = make(map[nodeID]uint32) }

// beginFilters starts the filters of the leaf that have an index.
func (r *residuals) beginFilters(known []extent) { r.known, r.first = known, len(r.nodes) }

// begin starts another filter.
func (r *residuals) begin(a access) {
	r.filter, r.payer, r.size, r.effort = a.node, a.payer, r.sizeOf(a.node), 0
	if len(r.decisive) > 64 || r.decisive == nil {
		r.decisive = make(map[predicate]bool)
	}
	clear(r.decisive)
	r.findDecisive(a.negated)
}

// residual returns what remains of the filter if an access predicate holds. ok is false
// if this is not known.
func (r *residuals) residual(p predicate) (rest nodeID, ok bool) {
	if r.effort += r.size; r.effort > maxEffort || len(r.nodes)-r.first > maxMadeNodes || !r.shares.take(r.payer, amounts{ofEffort: r.size}) {
		return 0, false
	}
	r.memo.clear(len(r.nodes))
	n := restriction{
		diagram: r.diagram, term: p.term, class: class{{p.lo, p.hi}},
		known: union(r.known, r.info[p.term].loads), memo: r.memo,
	}
	return n.restrict(r.filter), true
}

// check returns the check for a node, noCheck if it is too long.
func (r *residuals) check(rest nodeID, payer uint32) uint32 {
	cost, before := amounts{ofChecks: r.sizeOf(rest)}, len(r.checks)
	if cost[ofChecks] > maxCheck {
		return noCheck
	}
	if !r.shares.can(payer, cost) {
		r.shares.take(payer, cost) // so that it counts as wanted
		return noCheck
	}
	at := r.make(rest) // some parts of it may be there
	r.shares.take(payer, amounts{ofChecks: len(r.checks) - before})
	return at
}

func (r *residuals) make(id nodeID) uint32 {
	if id <= accept {
		return uint32(id) // checkRefuse, checkAccept
	}
	if at, made := r.made[id]; made {
		return at
	}
	n := r.nodes[id]
	t := r.tests[n.test]
	c := check{field: r.fields.numbered(t.term), lo: t.lo, width: t.hi - t.lo, yes: r.make(n.yes), no: r.make(n.no)}
	at := uint32(len(r.checks)) + firstCheck
	r.checks = append(r.checks, c)
	r.made[id] = at
	return at
}

// findDecisive finds the access predicates that decide the filter alone, because the
// filter is a plain list of alternatives or, if negated, of exceptions.
func (r *residuals) findDecisive(negated bool) {
	goal := accept
	if negated {
		goal = refuse
	}
	for id := r.filter; id > accept; {
		n := r.nodes[id]
		t := r.tests[n.test]
		switch {
		case !r.certain(t.term, r.known):
			return
		case r.isPresence(t):
			id = n.yes
		case n.yes == goal:
			r.decisive[t] = true
			id = n.no
		default:
			return
		}
	}
}

// posting returns the posting of an access predicate, given the entry of its filter.
// wanted is false if packets for which the predicate holds get the filter's default
// decision anyway.
func (r *residuals) posting(e entry, negated bool, p predicate) (_ posting, wanted bool) {
	against := refuse
	if negated {
		e |= exclude
		against = accept
	}
	if r.decisive[p] {
		return posting{entry: e}, true
	}
	rest, known := r.residual(p)
	switch {
	case !known:
		return posting{e | verify, noCheck}, true
	case rest == against:
		return posting{}, false
	case rest <= accept:
		return posting{entry: e}, true
	}
	return posting{e | verify, r.check(rest, r.payer)}, true
}
