package bpf

import (
	"encoding/binary"

	"gomapi/internal/mapierr"
)

// MaxInstructions is the maximum length of a program.
const MaxInstructions = 65536

// A Program is one compiled filter: classic BPF, checked and decoded. It is immutable.
// Any number of goroutines may use it.
type Program struct {
	code  []instruction
	key   string
	loops int // number of loops, at most maxLoops
}

// maxLoops is the number of loops of a program that may each follow all headers of a
// packet. More loops share that many rounds, so that no combination of program and packet
// takes long.
const maxLoops = 16

// RawSize is the size of a marshalled instruction: code, jt, jf, k, in the layout of
// struct sock_filter in <linux/filter.h>, big-endian.
const RawSize = 8

// NewProgram checks raw with the rules of bpf_check_classic in the kernel's
// net/core/filter.c and decodes it. Unlike there, BPF_JA may jump back, as in libpcap. An
// accepted program always ends and never reads outside its packet. For other programs the
// error is 1025 and names the instruction.
func NewProgram(raw []RawInstruction) (*Program, error) {
	if len(raw) == 0 || len(raw) > MaxInstructions {
		return nil, mapierr.New(mapierr.PcapBPF,
			"the filter program has %d instructions; 1 to %d are possible", len(raw), MaxInstructions)
	}
	code := make([]instruction, len(raw))
	for pc, ins := range raw {
		if err := validate(raw, pc); err != nil {
			return nil, err
		}
		code[pc] = decode(ins, pc)
	}
	loops := countLoops(code)
	fuse(code)
	return &Program{code: code, key: string(Marshal(raw)), loops: loops}, nil
}

// countLoops returns the number of places to which the program jumps back, up to
// maxLoops.
func countLoops(code []instruction) int {
	heads := make(map[uint16]bool)
	for _, in := range code {
		if in.op == opLoop {
			heads[in.yes] = true
		}
	}
	return min(len(heads), maxLoops)
}

// Raw returns a copy of the program that was passed to NewProgram. The caller owns it.
func (p *Program) Raw() []RawInstruction {
	raw, _ := Unmarshal([]byte(p.key))
	return raw
}

// Len returns the number of instructions.
func (p *Program) Len() int { return len(p.key) / RawSize }

// Key identifies the program: programs with equal keys are equal and decide every packet
// alike. It is not readable text.
func (p *Program) Key() string { return p.key }

// HasLoop reports whether the program jumps back.
func (p *Program) HasLoop() bool { return p.loops > 0 }

// Marshal returns instructions as bytes, RawSize each.
func Marshal(raw []RawInstruction) []byte {
	b := make([]byte, 0, RawSize*len(raw))
	for _, ins := range raw {
		b = binary.BigEndian.AppendUint16(b, ins.Op)
		b = append(b, ins.Jt, ins.Jf)
		b = binary.BigEndian.AppendUint32(b, ins.K)
	}
	return b
}

// Unmarshal is the inverse of Marshal; ok is false if b ends within an instruction.
func Unmarshal(b []byte) (raw []RawInstruction, ok bool) {
	raw = make([]RawInstruction, len(b)/RawSize)
	for i := range raw {
		ins := b[i*RawSize:][:RawSize]
		raw[i] = RawInstruction{Op: binary.BigEndian.Uint16(ins), Jt: ins[2], Jf: ins[3], K: binary.BigEndian.Uint32(ins[4:])}
	}
	return raw, len(b)%RawSize == 0
}
