package bpf

import (
	"encoding/binary"

	"gomapi/internal/mapierr"
)

// MaxInstructions is how many a program may have.
const MaxInstructions = 65536

// A Program is one compiled filter: classic BPF, checked and decoded. It is
// immutable and may be used by any number of goroutines.
type Program struct {
	code  []instruction
	key   string
	loops int // loops that it has, at most maxLoops
}

// maxLoops is how many loops of a program may each go through all headers that
// a packet can have. More loops share as many rounds, so that no program and
// packet together take long.
const maxLoops = 16

// RawSize is the size of a marshalled instruction: code, jt, jf, k, the layout of
// struct sock_filter in <linux/filter.h>, big-endian.
const RawSize = 8

// NewProgram checks raw by the rules of bpf_check_classic in the kernel's
// net/core/filter.c, except that BPF_JA may lead back as in libpcap, and
// decodes it. What passes always ends and never reads outside its packet. The
// rest gives error 1025, which names the instruction.
func NewProgram(raw []RawInstruction) (*Program, error) {
	if len(raw) == 0 || len(raw) > MaxInstructions {
		return nil, mapierr.New(mapierr.PcapBPF,
			"filter program has %d instructions; 1 to %d are possible", len(raw), MaxInstructions)
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

// countLoops returns to how many places the program jumps back, up to maxLoops.
func countLoops(code []instruction) int {
	heads := make(map[uint16]bool)
	for _, in := range code {
		if in.op == opLoop {
			heads[in.yes] = true
		}
	}
	return min(len(heads), maxLoops)
}

// Raw returns the program as it was given to NewProgram, in memory of the
// caller's own.
func (p *Program) Raw() []RawInstruction {
	raw, _ := Unmarshal([]byte(p.key))
	return raw
}

// Len returns the number of instructions.
func (p *Program) Len() int { return len(p.key) / RawSize }

// Key identifies the program: equal keys are equal programs, which decide
// every packet alike. It is not meant for people.
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

// Unmarshal is the reverse of Marshal; ok is false if b ends within an instruction.
func Unmarshal(b []byte) (raw []RawInstruction, ok bool) {
	raw = make([]RawInstruction, len(b)/RawSize)
	for i := range raw {
		ins := b[i*RawSize:][:RawSize]
		raw[i] = RawInstruction{Op: binary.BigEndian.Uint16(ins), Jt: ins[2], Jf: ins[3], K: binary.BigEndian.Uint32(ins[4:])}
	}
	return raw, len(b)%RawSize == 0
}
