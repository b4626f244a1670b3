package filter

import "golang.org/x/sys/unix"

// Bounds of what is read into nodes; what exceeds one runs singly.
const (
	maxSteps    = 16 << 10 // instructions taken through one program
	maxNodes    = 4096     // that one program makes
	maxAllSteps = 16 << 20 // of all programs
	maxAllNodes = 4 << 20
	maxAllTerms = 256 << 10
	maxAllSizes = 4 << 20 // nodes of all filters, shared ones counted for each
)

// A reason says why a program runs singly.
type reason uint8

const (
	expressed reason = iota // it does not
	hasLoop
	tooLarge // exceeds a bound of its own
	noBudget // exceeds what is left for all
)

// A reader reads programs into nodes by running them on terms instead of
// values: each state of the machine is met once, and where a program jumps
// both ways are taken.
type reader struct {
	*nodes
	code     []instruction
	live     []uint32
	memo     map[machine]nodeID
	steps    int // through this program
	allSteps int
	first    int // nodes before this program
	failed   reason
}

// A machine is a state that a program can be in. Cells that do not matter any
// more are 0.
type machine struct {
	pc    uint16
	cells [cells]termID
}

func newReader(n *nodes) *reader {
	return &reader{nodes: n, memo: make(map[machine]nodeID)}
}

// read returns the node that decides as the program does.
func (r *reader) read(p *Program) (nodeID, reason) {
	if p.loops > 0 {
		return refuse, hasLoop
	}
	if p.Len() > maxSteps {
		return refuse, tooLarge
	}
	r.code = r.code[:0]
	for pc := range p.Len() {
		r.code = append(r.code, decode(parseRaw([]byte(p.key[pc*rawSize:(pc+1)*rawSize])), pc))
	}
	r.live = liveness(r.code, r.live)
	if len(r.memo) > maxNodes {
		r.memo = make(map[machine]nodeID)
	}
	clear(r.memo)
	r.steps, r.first, r.failed = 0, len(r.nodes.nodes), expressed
	root := r.run(machine{})
	r.allSteps += r.steps
	if r.failed != expressed {
		r.truncate(r.first)
		return refuse, r.failed
	}
	return root, expressed
}

// exhausted checks the bounds.
func (r *reader) exhausted() bool {
	switch {
	case r.failed != expressed:
	case r.steps > maxSteps || len(r.nodes.nodes)-r.first > maxNodes:
		r.failed = tooLarge
	case r.allSteps+r.steps > maxAllSteps || len(r.nodes.nodes) > maxAllNodes || len(r.list) > maxAllTerms:
		r.failed = noBudget
	}
	return r.failed != expressed
}

// run returns the node of what the program does from a state on.
func (r *reader) run(m machine) nodeID {
	for c := range m.cells {
		if r.live[m.pc]>>c&1 == 0 {
			m.cells[c] = zeroTerm
		}
	}
	if n, known := r.memo[m]; known {
		return n
	}
	start := m
	var needs []termID // what has been loaded on the way, which may fail
	n := refuse
	for !r.exhausted() {
		r.steps++
		in := &r.code[m.pc]
		m.pc++
		if next, end := r.leave(in, &m); end {
			n = next
			break
		}
		need, ok := r.step(in, &m)
		if !ok {
			n = refuse
			break
		}
		if need != zeroTerm {
			needs = append(needs, need)
		}
	}
	for i := len(needs) - 1; i >= 0; i-- {
		n = r.need(needs[i], n, nil)
	}
	r.memo[start] = n
	return n
}

// leave does returns and jumps; end is false for other instructions and where
// there is only one way to go on.
func (r *reader) leave(in *instruction, m *machine) (n nodeID, end bool) {
	a := m.cells[cellA]
	switch in.op {
	case opReturnK:
		if in.k == 0 {
			return refuse, true
		}
		return accept, true
	case opReturnA:
		return r.branch(a, 0, 0, refuse, accept), true
	case opJump:
		m.pc = in.yes
		return refuse, false
	case opJumpEq, opJumpGt, opJumpGe, opJumpSet, opJumpX:
	default:
		return refuse, false
	}
	if in.yes == in.no {
		m.pc = in.yes
		return refuse, false
	}
	yes, no := *m, *m
	yes.pc, no.pc = in.yes, in.no
	if v, isConst := r.value(a); isConst && in.op != opJumpX {
		if holds(in, v) {
			return r.run(yes), true
		}
		return r.run(no), true
	}
	return r.jump(in, m, r.run(yes), r.run(no)), true
}

// holds decides a jump against a constant.
func holds(in *instruction, a uint32) bool {
	switch in.op {
	case opJumpEq:
		return a == in.k
	case opJumpGt:
		return a > in.k
	case opJumpGe:
		return a >= in.k
	}
	return a&in.k != 0
}

// jump returns the node of a conditional jump.
func (r *reader) jump(in *instruction, m *machine, yes, no nodeID) nodeID {
	const most = ^uint32(0)
	a, x := m.cells[cellA], m.cells[cellX]
	switch in.op {
	case opJumpEq:
		return r.branch(a, in.k, in.k, yes, no)
	case opJumpGt:
		return r.branch(a, 0, in.k, no, yes)
	case opJumpGe:
		return r.branch(a, in.k, most, yes, no)
	case opJumpSet:
		return r.branch(r.and(a, in.k), 0, 0, no, yes)
	}
	switch in.arg {
	case unix.BPF_JEQ:
		return r.branch(r.arithmetic(unix.BPF_SUB, a, x), 0, 0, yes, no)
	case unix.BPF_JGT:
		return r.branch(r.compare(a, x), 1, 1, yes, no)
	case unix.BPF_JGE:
		return r.branch(r.compare(x, a), 1, 1, no, yes)
	}
	return r.branch(r.arithmetic(unix.BPF_AND, a, x), 0, 0, no, yes)
}

// arithmetic returns a term that cannot divide by 0.
func (r *reader) arithmetic(op uint32, a, b termID) termID {
	id, _ := r.arith(op, a, b)
	r.measure(id)
	return id
}

func (r *reader) compare(a, b termID) termID {
	id := r.greater(a, b)
	r.measure(id)
	return id
}

// measure gives the program up if a term is too large to evaluate.
func (r *reader) measure(id termID) {
	if r.failed == expressed && r.info[id].size > maxTerm {
		r.failed = tooLarge
	}
}
