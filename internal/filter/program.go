package filter

import (
	"encoding/binary"

	"golang.org/x/net/bpf"

	"gomapi/internal/mapierr"
)

// A Program is one compiled filter: classic BPF, checked and decoded. It is
// immutable and may be used by any number of goroutines.
type Program struct {
	code  []instruction
	key   string
	loops int // loops that it has, at most maxLoops
}

// maxLoops is how many loops of a program may each go through all headers that
// a packet can have. More loops share as many turns, so that no program and
// packet together take long.
const maxLoops = 16

// rawSize is the size of one instruction in a key: code, jt, jf, k, the layout
// of struct bpf_insn in <linux/filter.h>, big-endian.
const rawSize = 8

// NewProgram checks raw by the rules of bpf_check_classic in the kernel's
// net/core/filter.c, except that BPF_JA may lead back as in libpcap, and
// decodes it. What passes always ends and never reads outside its packet. The
// rest gives error 1025, which names the instruction.
func NewProgram(raw []bpf.RawInstruction) (*Program, error) {
	if len(raw) == 0 || len(raw) > MaxInstructions {
		return nil, mapierr.New(mapierr.PcapBPF,
			"filter program has %d instructions; 1 to %d are possible", len(raw), MaxInstructions)
	}
	key := make([]byte, 0, rawSize*len(raw))
	code := make([]instruction, len(raw))
	for pc, ins := range raw {
		if err := validate(raw, pc); err != nil {
			return nil, err
		}
		key = appendRaw(key, ins)
		code[pc] = decode(ins, pc)
	}
	loops := countLoops(code)
	fuse(code)
	return &Program{code: code, key: string(key), loops: loops}, nil
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
func (p *Program) Raw() []bpf.RawInstruction {
	raw := make([]bpf.RawInstruction, len(p.key)/rawSize)
	for i := range raw {
		raw[i] = parseRaw([]byte(p.key[i*rawSize : (i+1)*rawSize]))
	}
	return raw
}

// Len returns the number of instructions.
func (p *Program) Len() int { return len(p.key) / rawSize }

// Key identifies the program: equal keys are equal programs, which decide
// every packet alike. It is not meant for people.
func (p *Program) Key() string { return p.key }

func appendRaw(b []byte, ins bpf.RawInstruction) []byte {
	b = binary.BigEndian.AppendUint16(b, ins.Op)
	b = append(b, ins.Jt, ins.Jf)
	return binary.BigEndian.AppendUint32(b, ins.K)
}

func parseRaw(b []byte) bpf.RawInstruction {
	return bpf.RawInstruction{
		Op: binary.BigEndian.Uint16(b),
		Jt: b[2],
		Jf: b[3],
		K:  binary.BigEndian.Uint32(b[4:]),
	}
}
