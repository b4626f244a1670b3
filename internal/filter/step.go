package filter

import "golang.org/x/sys/unix"

// step does an instruction that does not jump. It returns what must have a
// value for the program to go on, zeroTerm if nothing must, and false if it
// refuses every packet.
func (r *reader) step(in *instruction, m *machine) (need termID, ok bool) {
	if in.op == opJump || in.op >= opJumpEq && in.op <= opJumpX {
		return zeroTerm, true // done by leave
	}
	a, x := &m.cells[cellA], &m.cells[cellX]
	cell := &m.cells[in.k%scratchWords]
	switch in.op {
	case opWordAt, opHalfAt, opByteAt, opWordX, opHalfX, opByteX, opHeaderLen:
		return r.fetch(in, m)
	case opLoadK:
		*a = r.constant(in.k)
	case opLoadXK:
		*x = r.constant(in.k)
	case opLoadLen:
		*a = r.length()
	case opLoadXLen:
		*x = r.length()
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
	case opAndK:
		*a = r.and(*a, in.k)
		r.measure(*a)
	case opArithK:
		return r.calculate(in.arg, a, r.constant(in.k))
	case opArithX:
		return r.calculate(in.arg, a, *x)
	}
	return zeroTerm, true
}

// calculate does A = A op b. A division by what may be 0 needs the quotient.
func (r *reader) calculate(op uint32, a *termID, b termID) (need termID, ok bool) {
	id, ok := r.arith(op, *a, b)
	if !ok {
		return zeroTerm, false
	}
	r.measure(id)
	*a = id
	if r.info[id].divides {
		return id, true
	}
	return zeroTerm, true
}

// fetch does a load.
func (r *reader) fetch(in *instruction, m *machine) (need termID, ok bool) {
	size, base := uint8(4), zeroTerm
	switch in.op {
	case opHalfAt, opHalfX:
		size = 2
	case opByteAt, opByteX, opHeaderLen:
		size = 1
	}
	if in.op == opWordX || in.op == opHalfX || in.op == opByteX {
		base = m.cells[cellX]
	}
	id, ok := r.load(size, base, in.k)
	if !ok {
		return zeroTerm, false
	}
	r.measure(id)
	if in.op == opHeaderLen {
		m.cells[cellX] = r.arithmetic(unix.BPF_MUL, r.and(id, 0xf), r.constant(4))
	} else {
		m.cells[cellA] = id
	}
	return id, true
}
