package bpf

import (
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A RawInstruction is an instruction in the form of libpcap and the kernel.
type RawInstruction = bpf.RawInstruction

const scratchWords = 16 // BPF_MEMWORDS

// An opcode is the action of one step of the interpreter. Opcodes are dense, so that the
// switch over them becomes a jump table.
type opcode uint8

const (
	opReturnK opcode = iota // return k
	opReturnA               // return A

	// Loads of a word, a half word or a byte into A. "At" loads from offset k, "X" from
	// offset X+k. The Eq forms also execute the jump-if-equal that followed the load,
	// with operand arg: most tests of libpcap have this form.
	opWordAt
	opHalfAt
	opByteAt
	opWordX
	opHalfX
	opByteX
	opWordAtEq
	opHalfAtEq
	opByteAtEq
	opWordXEq
	opHalfXEq
	opByteXEq
	opHalfAtSet // with jump-if-set: the test for fragments
	opHeaderLen // X = 4*([k]&0xf)

	opLoadK
	opLoadLen
	opLoadMem
	opLoadXK
	opLoadXLen
	opLoadXMem
	opStore
	opStoreX
	opTAX
	opTXA

	opJump
	opLoop // jump back
	opJumpEq
	opJumpGt
	opJumpGe
	opJumpSet
	opJumpX // compares with X, see compare

	opAndK
	opArithK // A = A arg k, see Arith
	opArithX // A = A arg X
	opInvalid
)

// An instruction is a decoded instruction. Jump targets count from the start of the
// program.
type instruction struct {
	op  opcode
	yes uint16 // next instruction if the test holds, and after opJump and opLoop
	no  uint16 // next instruction if the test does not hold
	k   uint32 // constant, offset or scratch index
	arg uint32 // operand of a test fused with a load; operator of opJumpX and opArith
}

// opcodes maps every valid BPF code to its opcode, except the arithmetic codes.
var opcodes = map[uint16]opcode{
	unix.BPF_RET | unix.BPF_K: opReturnK,
	unix.BPF_RET | unix.BPF_A: opReturnA,

	unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:  opWordAt,
	unix.BPF_LD | unix.BPF_H | unix.BPF_ABS:  opHalfAt,
	unix.BPF_LD | unix.BPF_B | unix.BPF_ABS:  opByteAt,
	unix.BPF_LD | unix.BPF_W | unix.BPF_IND:  opWordX,
	unix.BPF_LD | unix.BPF_H | unix.BPF_IND:  opHalfX,
	unix.BPF_LD | unix.BPF_B | unix.BPF_IND:  opByteX,
	unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH: opHeaderLen,

	unix.BPF_LD | unix.BPF_IMM:               opLoadK,
	unix.BPF_LD | unix.BPF_W | unix.BPF_LEN:  opLoadLen,
	unix.BPF_LD | unix.BPF_MEM:               opLoadMem,
	unix.BPF_LDX | unix.BPF_IMM:              opLoadXK,
	unix.BPF_LDX | unix.BPF_W | unix.BPF_LEN: opLoadXLen,
	unix.BPF_LDX | unix.BPF_MEM:              opLoadXMem,
	unix.BPF_ST:                              opStore,
	unix.BPF_STX:                             opStoreX,
	unix.BPF_MISC | unix.BPF_TAX:             opTAX,
	unix.BPF_MISC | unix.BPF_TXA:             opTXA,

	unix.BPF_JMP | unix.BPF_JA:                opJump,
	unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:  opJumpEq,
	unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K:  opJumpGt,
	unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:  opJumpGe,
	unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K: opJumpSet,
	unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_X:  opJumpX,
	unix.BPF_JMP | unix.BPF_JGT | unix.BPF_X:  opJumpX,
	unix.BPF_JMP | unix.BPF_JGE | unix.BPF_X:  opJumpX,
	unix.BPF_JMP | unix.BPF_JSET | unix.BPF_X: opJumpX,
}

const operatorBits = 0xf0 // BPF_OP: the operator in codes of arithmetic and jumps

// operator returns the operator of an arithmetic code (BPF_ADD...), and whether it
// exists.
func operator(code uint16) (uint32, bool) {
	op := code & operatorBits
	if code&^(operatorBits|unix.BPF_X) != unix.BPF_ALU {
		return 0, false
	}
	if op == unix.BPF_NEG {
		return uint32(op), code&unix.BPF_X == 0
	}
	return uint32(op), op <= unix.BPF_XOR
}

// opcodeOf returns opInvalid for an invalid BPF code.
func opcodeOf(code uint16) opcode {
	if op, ok := opcodes[code]; ok {
		return op
	}
	op, ok := operator(code)
	switch {
	case !ok:
		return opInvalid
	case code&unix.BPF_X != 0:
		return opArithX
	case op == unix.BPF_AND:
		return opAndK
	}
	return opArithK
}

// jumpTarget returns the target of BPF_JA. libpcap's bpf_filter, unlike the kernel, takes
// its offset as signed: "protochain" compiles to a loop.
func jumpTarget(ins RawInstruction, pc int) int {
	return pc + 1 + int(int32(ins.K))
}

// decode decodes an instruction that validate has accepted.
func decode(ins RawInstruction, pc int) instruction {
	in := instruction{op: opcodeOf(ins.Op), k: ins.K}
	switch {
	case in.op == opJump:
		to := jumpTarget(ins, pc)
		if to <= pc {
			in.op = opLoop
		}
		in.yes = uint16(to)
	case in.op >= opAndK && in.op <= opArithX:
		in.arg, _ = operator(ins.Op)
	case in.op >= opJumpEq && in.op <= opJumpX:
		in.arg = uint32(ins.Op & operatorBits)
		in.yes = uint16(pc + 1 + int(ins.Jt))
		in.no = uint16(pc + 1 + int(ins.Jf))
	}
	return in
}

// fused maps a load and the test after it to the opcode that executes both.
var fused = map[[2]opcode]opcode{
	{opWordAt, opJumpEq}:  opWordAtEq,
	{opHalfAt, opJumpEq}:  opHalfAtEq,
	{opByteAt, opJumpEq}:  opByteAtEq,
	{opWordX, opJumpEq}:   opWordXEq,
	{opHalfX, opJumpEq}:   opHalfXEq,
	{opByteX, opJumpEq}:   opByteXEq,
	{opHalfAt, opJumpSet}: opHalfAtSet,
}

// fuse combines loads with the tests that follow them. The tests keep their places,
// because other jumps may lead to them.
func fuse(code []instruction) {
	for i := range code[:len(code)-1] {
		test := code[i+1]
		if op, ok := fused[[2]opcode{code[i].op, test.op}]; ok {
			code[i] = instruction{op: op, yes: test.yes, no: test.no, k: code[i].k, arg: test.k}
		}
	}
}
