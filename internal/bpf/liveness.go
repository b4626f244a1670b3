package bpf

// A cell is something that an instruction reads or writes: A, X, or a scratch cell by its
// number.
const (
	cellA = scratchWords + iota
	cellX
	cells
)

// uses returns the cells that the instruction reads and writes, as bits.
func (in *instruction) uses() (reads, writes uint32) {
	const a, x = 1 << cellA, 1 << cellX
	cell := uint32(1) << (in.k % scratchWords)
	switch in.op {
	case opReturnA:
		return a, 0
	case opWordAt, opHalfAt, opByteAt, opLoadK, opLoadLen:
		return 0, a
	case opWordX, opHalfX, opByteX, opTXA:
		return x, a
	case opHeaderLen, opLoadXK, opLoadXLen:
		return 0, x
	case opLoadMem:
		return cell, a
	case opLoadXMem:
		return cell, x
	case opStore:
		return a, cell
	case opStoreX:
		return x, cell
	case opTAX:
		return a, x
	case opJumpEq, opJumpGt, opJumpGe, opJumpSet:
		return a, 0
	case opJumpX:
		return a | x, 0
	case opAndK, opArithK:
		return a, a
	case opArithX:
		return a | x, a
	}
	return 0, 0
}

// liveness returns, for each instruction of a program without loops, the cells whose
// values are still read from there on. Only these cells distinguish two states of the
// machine.
func liveness(code []instruction, live []uint32) []uint32 {
	live = append(live[:0], make([]uint32, len(code))...)
	for pc := len(code) - 1; pc >= 0; pc-- {
		in := &code[pc]
		after := uint32(0)
		switch in.op {
		case opReturnK, opReturnA:
		case opJump:
			after = live[in.yes]
		case opJumpEq, opJumpGt, opJumpGe, opJumpSet, opJumpX:
			after = live[in.yes] | live[in.no]
		default:
			after = live[pc+1]
		}
		reads, writes := in.uses()
		live[pc] = after&^writes | reads
	}
	return live
}
