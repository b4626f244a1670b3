package classify

import (
	"golang.org/x/sys/unix"

	"gomapi/internal/bpf"
)

// Limits of reading programs into nodes. A program that exceeds one runs singly.
const (
	maxSteps    = 16 << 10 // instructions executed for one program
	maxNodes    = 4096     // that one program makes
	maxAllSteps = 16 << 20 // for all programs
	maxAllNodes = 4 << 20
	maxAllTerms = 256 << 10
	maxAllSizes = 4 << 20 // nodes of all filters; shared nodes count for each filter
)

// A reason says why a program runs singly.
type reason uint8

const (
	expressed reason = iota // it does not run singly
	hasLoop
	tooLarge // it exceeds a limit for one program
	noBudget // it exceeds the rest of a limit for all
)

// A reader reads programs into nodes. It is the bpf.Domain of terms and nodes.
type reader struct {
	*diagram
	executor *bpf.Executor[termID, nodeID]
	steps    int // for this program
	allSteps int
	first    int // number of nodes before this program
	failed   reason
}

func newReader(d *diagram) *reader {
	r := &reader{diagram: d}
	r.executor = bpf.NewExecutor[termID, nodeID](r)
	return r
}

// A usage is what reading has used of the limits for all programs.
type usage struct{ steps, nodes, terms int }

func (r *reader) usage() usage { return usage{r.allSteps, len(r.nodes), len(r.list)} }

// since returns the largest part of a limit that was used after b.
func (u usage) since(b usage) float64 {
	return max(float64(u.steps-b.steps)/maxAllSteps, float64(u.nodes-b.nodes)/maxAllNodes, float64(u.terms-b.terms)/maxAllTerms)
}

// read returns the node that decides like the program.
func (r *reader) read(p *bpf.Program) (nodeID, reason) {
	if p.HasLoop() {
		return refuse, hasLoop
	}
	if p.Len() > maxSteps {
		return refuse, tooLarge
	}
	r.steps, r.first, r.failed = 0, len(r.nodes), expressed
	root := r.executor.Run(p)
	r.allSteps += r.steps
	if r.failed != expressed {
		r.truncate(r.first)
		return refuse, r.failed
	}
	return root, expressed
}

// Step counts an instruction and checks the limits.
func (r *reader) Step() bool {
	switch {
	case r.failed != expressed:
	case r.steps > maxSteps || len(r.nodes)-r.first > maxNodes:
		r.failed = tooLarge
	case r.allSteps+r.steps > maxAllSteps || len(r.nodes) > maxAllNodes || len(r.list) > maxAllTerms:
		r.failed = noBudget
	}
	if r.failed != expressed {
		return false
	}
	r.steps++
	return true
}

func (r *reader) Load(size uint8, base termID, k uint32) (termID, bool) {
	id, ok := r.load(size, base, k)
	return r.measured(id), ok
}

func (r *reader) Arith(op uint32, a, b termID) (termID, bool) {
	id, ok := r.arith(op, a, b)
	return r.measured(id), ok
}

// measured gives up the program if a term is too large to evaluate.
func (r *reader) measured(id termID) termID {
	if r.failed == expressed && r.info[id].size > maxTerm {
		r.failed = tooLarge
	}
	return id
}

func (r *reader) Decide(match bool) nodeID {
	if match {
		return accept
	}
	return refuse
}

func (r *reader) Test(op uint32, a termID, k uint32, yes, no nodeID) nodeID {
	const most = ^uint32(0)
	switch op {
	case unix.BPF_JEQ:
		return r.ifThenElse(a, k, k, yes, no)
	case unix.BPF_JGT:
		return r.ifThenElse(a, 0, k, no, yes)
	case unix.BPF_JGE:
		return r.ifThenElse(a, k, most, yes, no)
	}
	return r.ifThenElse(r.and(a, k), 0, 0, no, yes) // BPF_JSET
}

func (r *reader) Compare(op uint32, a, b termID, yes, no nodeID) nodeID {
	switch op {
	case unix.BPF_JEQ:
		difference, _ := r.Arith(unix.BPF_SUB, a, b)
		return r.ifThenElse(difference, 0, 0, yes, no)
	case unix.BPF_JGT:
		return r.ifThenElse(r.measured(r.greater(a, b)), 1, 1, yes, no)
	case unix.BPF_JGE:
		return r.ifThenElse(r.measured(r.greater(b, a)), 1, 1, no, yes)
	}
	common, _ := r.Arith(unix.BPF_AND, a, b) // BPF_JSET
	return r.ifThenElse(common, 0, 0, no, yes)
}

// Require makes a presence test for terms that can fail: loads and divisions.
func (r *reader) Require(v termID, then nodeID) nodeID {
	if r.list[v].op != termLoad && !r.info[v].divides {
		return then
	}
	return r.present(v, then, nil)
}
