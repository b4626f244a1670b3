package bpf

import "encoding/binary"

// headerUnit is the minimum number of bytes by which each round of a "protochain" loop
// advances: the length of an extension header is a multiple of it (RFC 8200, section 4).
// After an authentication header libpcap's program may go back instead, and may never end
// in bpf_filter.
const headerUnit = 8

// Match reports whether the program accepts a packet. data holds the captured bytes, and
// wire is the length on the wire, both from the link-layer header on. As in libpcap and
// the kernel, a load outside data or a division by zero refuses the packet, and "len" is
// wire. A program also refuses a packet if its loops make more rounds than the packet can
// have headers.
func (p *Program) Match(data []byte, wire uint32) bool {
	var a, x uint32
	var scratch [scratchWords]uint32
	rounds := 0
	code := p.code
	for pc := 0; pc < len(code); {
		in := &code[pc]
		pc++
		ok := true
		switch in.op {
		case opReturnK:
			return in.k != 0
		case opReturnA:
			return a != 0
		case opWordAt:
			a, ok = word(data, uint64(in.k))
		case opHalfAt:
			a, ok = half(data, uint64(in.k))
		case opByteAt:
			a, ok = octet(data, uint64(in.k))
		case opWordX:
			a, ok = word(data, uint64(in.k)+uint64(x))
		case opHalfX:
			a, ok = half(data, uint64(in.k)+uint64(x))
		case opByteX:
			a, ok = octet(data, uint64(in.k)+uint64(x))
		case opWordAtEq:
			a, ok = word(data, uint64(in.k))
			pc = in.next(a == in.arg)
		case opHalfAtEq:
			a, ok = half(data, uint64(in.k))
			pc = in.next(a == in.arg)
		case opByteAtEq:
			a, ok = octet(data, uint64(in.k))
			pc = in.next(a == in.arg)
		case opWordXEq:
			a, ok = word(data, uint64(in.k)+uint64(x))
			pc = in.next(a == in.arg)
		case opHalfXEq:
			a, ok = half(data, uint64(in.k)+uint64(x))
			pc = in.next(a == in.arg)
		case opByteXEq:
			a, ok = octet(data, uint64(in.k)+uint64(x))
			pc = in.next(a == in.arg)
		case opHalfAtSet:
			a, ok = half(data, uint64(in.k))
			pc = in.next(a&in.arg != 0)
		case opHeaderLen:
			x, ok = octet(data, uint64(in.k))
			x = (x & 0xf) * 4
		case opAndK:
			a &= in.k
		case opTAX:
			x = a
		case opJump:
			pc = int(in.yes)
		case opLoop:
			pc, ok = int(in.yes), rounds < p.loops*(len(data)/headerUnit)
			rounds++
		case opJumpEq:
			pc = in.next(a == in.k)
		case opJumpGt:
			pc = in.next(a > in.k)
		case opJumpGe:
			pc = in.next(a >= in.k)
		case opJumpSet:
			pc = in.next(a&in.k != 0)
		case opJumpX:
			pc = in.next(compare(in.arg, a, x))
		default:
			a, x, ok = in.compute(a, x, wire, &scratch)
		}
		if !ok {
			return false
		}
	}
	return false
}

func (in *instruction) next(holds bool) int {
	if holds {
		return int(in.yes)
	}
	return int(in.no)
}

func word(b []byte, off uint64) (uint32, bool) {
	if off+4 > uint64(len(b)) {
		return 0, false
	}
	return binary.BigEndian.Uint32(b[off:]), true
}

func half(b []byte, off uint64) (uint32, bool) {
	if off+2 > uint64(len(b)) {
		return 0, false
	}
	return uint32(binary.BigEndian.Uint16(b[off:])), true
}

func octet(b []byte, off uint64) (uint32, bool) {
	if off >= uint64(len(b)) {
		return 0, false
	}
	return uint32(b[off]), true
}
