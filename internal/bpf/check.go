package bpf

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"gomapi/internal/mapierr"
)

// validate checks the instruction at pc: a known code, a return at the end, jumps inside
// the program, existing scratch cells, no constant division by zero, and no shift by 32
// or more.
func validate(raw []RawInstruction, pc int) error {
	ins, left := raw[pc], uint32(len(raw)-pc-1)
	switch op := opcodeOf(ins.Op); op {
	case opInvalid:
		return invalid(pc, "code 0x%x does not exist", ins.Op)
	case opReturnK, opReturnA:
		return nil
	case opJump:
		if to := jumpTarget(ins, pc); to < 0 || to >= len(raw) {
			return invalid(pc, "it jumps out of the program")
		}
	case opJumpEq, opJumpGt, opJumpGe, opJumpSet, opJumpX:
		if uint32(max(ins.Jt, ins.Jf)) >= left {
			return invalid(pc, "it jumps out of the program")
		}
	case opStore, opStoreX, opLoadMem, opLoadXMem:
		if ins.K >= scratchWords {
			return invalid(pc, "scratch cell %d does not exist", ins.K)
		}
	case opArithK:
		if err := checkArith(ins, pc); err != nil {
			return err
		}
	}
	if left == 0 {
		return invalid(pc, "the program does not end with a return")
	}
	return nil
}

func checkArith(ins RawInstruction, pc int) error {
	switch op, _ := operator(ins.Op); op {
	case unix.BPF_DIV, unix.BPF_MOD:
		if ins.K == 0 {
			return invalid(pc, "it divides by zero")
		}
	case unix.BPF_LSH, unix.BPF_RSH:
		if ins.K >= 32 {
			return invalid(pc, "it shifts by %d bits, at most 31 are possible", ins.K)
		}
	}
	return nil
}

func invalid(pc int, format string, args ...any) error {
	return mapierr.Wrap(mapierr.PcapBPF,
		"filter program is not valid at instruction "+strconv.Itoa(pc), fmt.Errorf(format, args...))
}
