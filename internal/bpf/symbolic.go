package bpf

import "golang.org/x/sys/unix"

// A Domain lets programs run on values V instead of numbers, with decisions D instead of
// a match. The zero V is the number 0. Operators are those of <linux/bpf_common.h>:
// BPF_ADD... and BPF_JEQ...
type Domain[V comparable, D any] interface {
	Constant(k uint32) V
	Value(v V) (k uint32, isConst bool)
	Length() V // on the wire
	// Load returns size bytes at base+k; ok is false if no packet has them.
	Load(size uint8, base V, k uint32) (v V, ok bool)
	// Arith returns a op b; ok is false for a division by the constant 0.
	Arith(op uint32, a, b V) (v V, ok bool)

	Decide(accept bool) D
	Test(op uint32, a V, k uint32, yes, no D) D // yes if a op k
	Compare(op uint32, a, b V, yes, no D) D     // yes if a op b
	Require(v V, then D) D                      // refuses packets for which v cannot be computed

	Step() bool // called before each instruction; false stops the execution
}

// An Executor runs programs on a domain. It executes each state of the machine once, and
// takes both ways of a jump. One goroutine at a time may use it.
type Executor[V comparable, D any] struct {
	domain Domain[V, D]
	code   []instruction
	live   []uint32
	memo   map[state[V]]D
}

// A state is a state of the machine. Cells that are not live are 0.
type state[V comparable] struct {
	pc    uint16
	cells [cells]V
}

// memoSize is the maximum number of states of a program whose memory the next program
// reuses.
const memoSize = 4096

// NewExecutor returns an Executor for d.
func NewExecutor[V comparable, D any](d Domain[V, D]) *Executor[V, D] {
	return &Executor[V, D]{domain: d, memo: make(map[state[V]]D)}
}

// Run returns the decision of p, which must not have a loop.
func (e *Executor[V, D]) Run(p *Program) D {
	e.code = e.code[:0]
	for pc, ins := range p.Raw() {
		e.code = append(e.code, decode(ins, pc))
	}
	e.live = liveness(e.code, e.live)
	if len(e.memo) > memoSize {
		e.memo = make(map[state[V]]D)
	}
	clear(e.memo)
	return e.run(state[V]{})
}

// run returns the decision of the program from a state on.
func (e *Executor[V, D]) run(s state[V]) D {
	var zero V
	for c := range s.cells {
		if e.live[s.pc]>>c&1 == 0 {
			s.cells[c] = zero
		}
	}
	if d, known := e.memo[s]; known {
		return d
	}
	start := s
	var required []V // values computed on the way that may not exist
	d := e.domain.Decide(false)
	for e.domain.Step() {
		in := &e.code[s.pc]
		s.pc++
		if end, ended := e.leave(in, &s); ended {
			d = end
			break
		}
		v, ok := e.step(in, &s)
		if !ok {
			d = e.domain.Decide(false)
			break
		}
		if v != zero {
			required = append(required, v)
		}
	}
	for i := len(required) - 1; i >= 0; i-- {
		d = e.domain.Require(required[i], d)
	}
	e.memo[start] = d
	return d
}

// leave executes returns and jumps. ended is false for other instructions, and for jumps
// with only one possible way.
func (e *Executor[V, D]) leave(in *instruction, s *state[V]) (d D, ended bool) {
	a := s.cells[cellA]
	switch in.op {
	case opReturnK:
		return e.domain.Decide(in.k != 0), true
	case opReturnA:
		return e.domain.Test(unix.BPF_JEQ, a, 0, e.domain.Decide(false), e.domain.Decide(true)), true
	case opJump:
		s.pc = in.yes
		return d, false
	case opJumpEq, opJumpGt, opJumpGe, opJumpSet, opJumpX:
	default:
		return d, false
	}
	yes, no := *s, *s
	yes.pc, no.pc = in.yes, in.no
	v, isConst := e.domain.Value(a)
	switch {
	case in.yes == in.no:
		s.pc = in.yes
		return d, false
	case in.op == opJumpX:
		return e.domain.Compare(in.arg, a, s.cells[cellX], e.run(yes), e.run(no)), true
	case !isConst:
		return e.domain.Test(in.arg, a, in.k, e.run(yes), e.run(no)), true
	case compare(in.arg, v, in.k):
		return e.run(yes), true
	}
	return e.run(no), true
}

// step executes an instruction that neither returns nor jumps. required is a value that
// must exist for the program to continue, or 0. The last result is false if every packet
// is refused.
func (e *Executor[V, D]) step(in *instruction, s *state[V]) (required V, ok bool) {
	a, x := &s.cells[cellA], &s.cells[cellX]
	cell := &s.cells[in.k%scratchWords]
	switch in.op {
	case opWordAt, opHalfAt, opByteAt, opWordX, opHalfX, opByteX, opHeaderLen:
		return e.load(in, a, x)
	case opLoadK:
		*a = e.domain.Constant(in.k)
	case opLoadXK:
		*x = e.domain.Constant(in.k)
	case opLoadLen:
		*a = e.domain.Length()
	case opLoadXLen:
		*x = e.domain.Length()
	case opLoadMem:
		*a = *cell
	case opLoadXMem:
		*x = *cell
	case opStore:
		*cell = *a
	case opStoreX:
		*cell = *x
	case opTAX:
		*x = *a
	case opTXA:
		*a = *x
	case opAndK, opArithK:
		*a, ok = e.domain.Arith(in.arg, *a, e.domain.Constant(in.k))
		return required, ok
	case opArithX:
		*a, ok = e.domain.Arith(in.arg, *a, *x)
		if in.arg == unix.BPF_DIV || in.arg == unix.BPF_MOD {
			required = *a
		}
		return required, ok
	}
	return required, true
}

// load executes a load, whose value must exist.
func (e *Executor[V, D]) load(in *instruction, a, x *V) (required V, ok bool) {
	size, base := uint8(4), required
	switch in.op {
	case opHalfAt, opHalfX:
		size = 2
	case opByteAt, opByteX, opHeaderLen:
		size = 1
	}
	if in.op == opWordX || in.op == opHalfX || in.op == opByteX {
		base = *x
	}
	v, ok := e.domain.Load(size, base, in.k)
	if !ok {
		return required, false
	}
	if in.op == opHeaderLen {
		low, _ := e.domain.Arith(unix.BPF_AND, v, e.domain.Constant(0xf))
		*x, _ = e.domain.Arith(unix.BPF_MUL, low, e.domain.Constant(4))
	} else {
		*a = v
	}
	return v, true
}
