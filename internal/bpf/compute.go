package bpf

import "golang.org/x/sys/unix"

// compute executes instructions that need no packet: constants, "len", scratch cells,
// copies and arithmetic. It returns A and X, and false for a division by zero.
func (in *instruction) compute(a, x, wire uint32, scratch *[scratchWords]uint32) (uint32, uint32, bool) {
	cell := &scratch[in.k%scratchWords]
	switch in.op {
	case opLoadK:
		return in.k, x, true
	case opLoadXK:
		return a, in.k, true
	case opLoadLen:
		return wire, x, true
	case opLoadXLen:
		return a, wire, true
	case opLoadMem:
		return *cell, x, true
	case opLoadXMem:
		return a, *cell, true
	case opStore:
		*cell = a
	case opStoreX:
		*cell = x
	case opTXA:
		return x, x, true
	case opArithK:
		a, ok := Arith(in.arg, a, in.k)
		return a, x, ok
	case opArithX:
		a, ok := Arith(in.arg, a, x)
		return a, x, ok
	}
	return a, x, true
}

// compare decides a jump that compares A with a constant or X.
func compare(op, a, x uint32) bool {
	switch op {
	case unix.BPF_JEQ:
		return a == x
	case unix.BPF_JGT:
		return a > x
	case unix.BPF_JGE:
		return a >= x
	}
	return a&x != 0 // BPF_JSET
}

// Arith returns a op v for an operator of <linux/bpf_common.h> (BPF_ADD...), and false
// for a division by zero. Shifts by 32 and more give 0, as in libpcap.
func Arith(op, a, v uint32) (uint32, bool) {
	switch op {
	case unix.BPF_ADD:
		return a + v, true
	case unix.BPF_SUB:
		return a - v, true
	case unix.BPF_MUL:
		return a * v, true
	case unix.BPF_DIV:
		if v == 0 {
			return 0, false
		}
		return a / v, true
	case unix.BPF_MOD:
		if v == 0 {
			return 0, false
		}
		return a % v, true
	case unix.BPF_AND:
		return a & v, true
	case unix.BPF_OR:
		return a | v, true
	case unix.BPF_XOR:
		return a ^ v, true
	case unix.BPF_LSH:
		return a << v, true
	case unix.BPF_RSH:
		return a >> v, true
	}
	return -a, true // BPF_NEG
}
