package bpftest

import (
	"math/rand/v2"

	"golang.org/x/sys/unix"

	"gomapi/internal/bpf"
	"gomapi/internal/pkt"
)

// randomCodes are the codes of fuzzed programs, chosen so that most programs are valid.
var randomCodes = []uint16{
	0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x94, 0x9c, 0x54, 0x5c, 0x44, 0x4c, 0xa4, 0xac,
	0x64, 0x6c, 0x74, 0x7c, 0x84, 0x20, 0x28, 0x30, 0x80, 0x40, 0x48, 0x50, 0x00, 0x60, 0x81, 0xb1,
	0x01, 0x61, 0x02, 0x03, 0x07, 0x87, 0x06, 0x16, 0x05, 0x15, 0x1d, 0x35, 0x3d, 0x25, 0x2d, 0x45, 0x4d,
	0xffff, 0x21,
}

// Fuzzed makes instructions from b. Most have short jumps and small constants, some have
// any value.
func Fuzzed(b []byte) []bpf.RawInstruction {
	var raw []bpf.RawInstruction
	for ; len(b) >= 4 && len(raw) < 64; b = b[4:] {
		ins := bpf.RawInstruction{Op: randomCodes[int(b[0])%len(randomCodes)], Jt: b[1] % 4, Jf: b[2] % 4, K: uint32(b[3] % 64)}
		switch b[1] >> 5 {
		case 7:
			ins.K = 0xffffffff - uint32(b[3])
		case 6:
			ins.Jt, ins.Jf = b[1], b[2]
		case 5:
			ins.K = uint32(b[3]) << 24
		}
		raw = append(raw, ins)
	}
	return append(raw, bpf.RawInstruction{Op: 0x06, K: 1}, bpf.RawInstruction{Op: 0x16}, bpf.RawInstruction{Op: 0x06})
}

// A Programmer writes random programs that look like filters: loads at few offsets, tests
// against few values, and jumps forward to shared places.
type Programmer struct{ *rand.Rand }

// One returns one of the values.
func (r Programmer) One(of ...uint32) uint32 { return of[r.IntN(len(of))] }

func (r Programmer) offset() uint32 {
	return r.One(0, 1, 2, 3, 4, 6, 8, 12, 14, 20, 23, 26, 30, 60, uint32(r.IntN(70)))
}

func (r Programmer) value() uint32 {
	return r.One(0, 1, 2, 3, 4, 6, 17, 0x45, 0x0100, 0x0800, 0x01020304, 0xff, 0xffff, 0xffffffff, r.Uint32(), uint32(r.IntN(256)))
}

// Program returns instructions that NewProgram accepts.
func (r Programmer) Program() []bpf.RawInstruction {
	n := 3 + r.IntN(25)
	raw := make([]bpf.RawInstruction, 0, n+2)
	for len(raw) < n {
		raw = append(raw, r.instruction(n+1-len(raw)))
	}
	return append(raw, bpf.RawInstruction{Op: unix.BPF_RET, K: r.One(0, 1)}, bpf.RawInstruction{Op: unix.BPF_RET, K: r.One(0, 1)})
}

// instruction returns an instruction that may jump over at most left others.
func (r Programmer) instruction(left int) bpf.RawInstruction {
	size := uint16(r.One(unix.BPF_W, unix.BPF_H, unix.BPF_B))
	jump := func() uint8 { return uint8(min(left-1, r.IntN(8), 255)) }
	switch r.IntN(20) {
	case 0, 1, 2, 3, 4:
		return bpf.RawInstruction{Op: unix.BPF_LD | unix.BPF_ABS | size, K: r.offset()}
	case 5, 6:
		return bpf.RawInstruction{Op: unix.BPF_LD | unix.BPF_IND | size, K: r.offset()}
	case 7:
		return bpf.RawInstruction{Op: unix.BPF_LDX | unix.BPF_MSH | unix.BPF_B, K: r.offset()}
	case 8:
		return bpf.RawInstruction{Op: uint16(r.One(unix.BPF_LD, unix.BPF_LDX) | r.One(unix.BPF_IMM, unix.BPF_MEM)), K: r.One(0, 1, 2)}
	case 9:
		return bpf.RawInstruction{Op: uint16(r.One(unix.BPF_ST, unix.BPF_STX)), K: r.One(0, 1, 2)}
	case 10:
		return bpf.RawInstruction{Op: uint16(unix.BPF_MISC | r.One(unix.BPF_TAX, unix.BPF_TXA))}
	case 11:
		return bpf.RawInstruction{Op: unix.BPF_LD | unix.BPF_LEN}
	case 12, 13:
		return r.arithmetic()
	case 14:
		return bpf.RawInstruction{Op: uint16(unix.BPF_RET | r.One(unix.BPF_K, unix.BPF_A)), K: r.One(0, 1)}
	}
	op := r.One(unix.BPF_JEQ, unix.BPF_JEQ, unix.BPF_JEQ, unix.BPF_JGT, unix.BPF_JGE, unix.BPF_JSET)
	if r.IntN(10) == 0 {
		op |= unix.BPF_X
	}
	return bpf.RawInstruction{Op: uint16(unix.BPF_JMP | op), Jt: jump(), Jf: jump(), K: r.value()}
}

func (r Programmer) arithmetic() bpf.RawInstruction {
	op := r.One(unix.BPF_ADD, unix.BPF_SUB, unix.BPF_MUL, unix.BPF_DIV, unix.BPF_MOD, unix.BPF_AND, unix.BPF_AND,
		unix.BPF_AND, unix.BPF_OR, unix.BPF_XOR, unix.BPF_LSH, unix.BPF_RSH, unix.BPF_RSH, unix.BPF_NEG)
	ins := bpf.RawInstruction{Op: uint16(unix.BPF_ALU | op), K: r.One(0xff, 0xfffff00, 0xffffff00, 0xf, 1, 2, 4, 0xf0, r.value())}
	switch {
	case op == unix.BPF_NEG:
	case r.IntN(5) == 0:
		ins.Op |= unix.BPF_X
	case op == unix.BPF_DIV || op == unix.BPF_MOD:
		ins.K = max(ins.K, 1)
	case op == unix.BPF_LSH || op == unix.BPF_RSH:
		ins.K %= 32
	}
	return ins
}

// Packet returns a packet with values that programs ask for.
func (r Programmer) Packet() pkt.Packet {
	b := make([]byte, r.One(0, 1, 14, 60, 64, 80, uint32(r.IntN(90))))
	for i := range b {
		b[i] = byte(r.One(0, 1, 2, 3, 4, 6, 8, 17, 0x45, 0xff, r.Uint32()))
	}
	return pkt.Packet{Link: b, Wire: uint32(len(b))}
}
