package filter

import (
	"math"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"gomapi/internal/mapierr"
)

// assemble makes a program of instructions that must be valid.
func assemble(t testing.TB, ins ...bpf.Instruction) *Program {
	t.Helper()
	raw, err := bpf.Assemble(ins)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewProgram(raw)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var (
	yes = bpf.RetConstant{Val: 1}
	no  = bpf.RetConstant{Val: 0}
)

func TestNewProgramRefuses(t *testing.T) {
	ret := bpf.RawInstruction{Op: 0x06, K: 1}
	for name, c := range map[string]struct {
		raw  []bpf.RawInstruction
		text string
	}{
		"empty":           {nil, "0 instructions"},
		"too long":        {make([]bpf.RawInstruction, MaxInstructions+1), "65537 instructions"},
		"no return":       {[]bpf.RawInstruction{{Op: 0x00}}, "instruction 0: the program does not end"},
		"ends in add":     {[]bpf.RawInstruction{ret, {Op: 0x04, K: 1}}, "instruction 1: the program does not end"},
		"ends in jump":    {[]bpf.RawInstruction{{Op: 0x05}}, "instruction 0: it jumps out"},
		"ja too far":      {[]bpf.RawInstruction{{Op: 0x05, K: 1}, ret}, "it jumps out"},
		"ja too far back": {[]bpf.RawInstruction{{Op: 0x05, K: math.MaxUint32 - 1}, ret}, "it jumps out"},
		"ja farthest":     {[]bpf.RawInstruction{{Op: 0x05, K: 1 << 31}, ret}, "it jumps out"},
		"jeq yes":         {[]bpf.RawInstruction{{Op: 0x15, Jt: 1}, ret}, "it jumps out"},
		"jset x no":       {[]bpf.RawInstruction{{Op: 0x4d, Jf: 1}, ret}, "it jumps out"},
		"store":           {[]bpf.RawInstruction{{Op: 0x02, K: 16}, ret}, "cell 16"},
		"store x":         {[]bpf.RawInstruction{{Op: 0x03, K: 16}, ret}, "cell 16"},
		"load scratch":    {[]bpf.RawInstruction{{Op: 0x60, K: 16}, ret}, "cell 16"},
		"load scratch x":  {[]bpf.RawInstruction{{Op: 0x61, K: math.MaxUint32}, ret}, "cell 4294967295"},
		"div 0":           {[]bpf.RawInstruction{{Op: 0x34}, ret}, "divides by zero"},
		"mod 0":           {[]bpf.RawInstruction{{Op: 0x94}, ret}, "divides by zero"},
		"lsh 32":          {[]bpf.RawInstruction{{Op: 0x64, K: 32}, ret}, "shifts by 32"},
		"rsh 33":          {[]bpf.RawInstruction{{Op: 0x74, K: 33}, ret}, "shifts by 33"},
		"operator":        {[]bpf.RawInstruction{{Op: 0xb4}, ret}, "code 0xb4"},
		"neg x":           {[]bpf.RawInstruction{{Op: 0x8c}, ret}, "code 0x8c"},
		"ret x":           {[]bpf.RawInstruction{{Op: 0x0e}}, "code 0xe"},
		"ldx abs":         {[]bpf.RawInstruction{{Op: 0x21}, ret}, "code 0x21"},
		"high bits":       {[]bpf.RawInstruction{{Op: 0x106}}, "code 0x106"},
	} {
		p, err := NewProgram(c.raw)
		if p != nil || mapierr.CodeOf(err, 0) != mapierr.PcapBPF || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, %v; want 1025 with %q", name, p, err, c.text)
		}
	}
}

// Every code that the kernel's bpf_check_classic lists is accepted, no other.
func TestNewProgramCodes(t *testing.T) {
	valid := []uint16{
		0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x94, 0x9c, 0x54, 0x5c, 0x44, 0x4c, 0xa4, 0xac,
		0x64, 0x6c, 0x74, 0x7c, 0x84, 0x20, 0x28, 0x30, 0x80, 0x40, 0x48, 0x50, 0x00, 0x60, 0x81, 0xb1,
		0x01, 0x61, 0x02, 0x03, 0x07, 0x87, 0x06, 0x16, 0x05, 0x15, 0x1d, 0x35, 0x3d, 0x25, 0x2d, 0x45, 0x4d,
	}
	for code := range math.MaxUint16 + 1 {
		_, err := NewProgram([]bpf.RawInstruction{{Op: uint16(code), K: 1}, {Op: 0x06}, {Op: 0x06}})
		if want := slices.Contains(valid, uint16(code)); (err == nil) != want {
			t.Errorf("code %#x: %v", code, err)
		}
	}
}

func TestMatch(t *testing.T) {
	data := []byte{0x45, 1, 2, 3, 4, 5, 6, 7}
	retA := bpf.RetA{}
	x := func(v uint32) bpf.Instruction { return bpf.LoadConstant{Dst: bpf.RegX, Val: v} }
	a := func(v uint32) bpf.Instruction { return bpf.LoadConstant{Dst: bpf.RegA, Val: v} }
	eq := func(v uint32) bpf.Instruction { return bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipFalse: 1} }
	for name, c := range map[string]struct {
		ins  []bpf.Instruction
		want bool
	}{
		"last word":          {[]bpf.Instruction{bpf.LoadAbsolute{Off: 4, Size: 4}, eq(0x04050607), yes, no}, true},
		"word over the end":  {[]bpf.Instruction{bpf.LoadAbsolute{Off: 5, Size: 4}, yes}, false},
		"half over the end":  {[]bpf.Instruction{bpf.LoadAbsolute{Off: 7, Size: 2}, yes}, false},
		"byte over the end":  {[]bpf.Instruction{bpf.LoadAbsolute{Off: 8, Size: 1}, yes}, false},
		"far byte":           {[]bpf.Instruction{bpf.LoadAbsolute{Off: math.MaxUint32 - 0x2000, Size: 1}, yes}, false},
		"indirect":           {[]bpf.Instruction{x(2), bpf.LoadIndirect{Off: 4, Size: 2}, eq(0x0607), yes, no}, true},
		"indirect over":      {[]bpf.Instruction{x(3), bpf.LoadIndirect{Off: 4, Size: 2}, yes}, false},
		"indirect wraps":     {[]bpf.Instruction{x(math.MaxUint32), bpf.LoadIndirect{Off: 2, Size: 1}, yes}, false},
		"header length":      {[]bpf.Instruction{bpf.LoadMemShift{Off: 0}, bpf.TXA{}, eq(20), yes, no}, true},
		"header over":        {[]bpf.Instruction{bpf.LoadMemShift{Off: 8}, yes}, false},
		"len is wire":        {[]bpf.Instruction{bpf.LoadExtension{Num: bpf.ExtLen}, eq(1500), yes, no}, true},
		"return A":           {[]bpf.Instruction{a(7), retA}, true},
		"return A of 0":      {[]bpf.Instruction{retA}, false},
		"scratch starts 0":   {[]bpf.Instruction{bpf.LoadScratch{Dst: bpf.RegA, N: 3}, retA}, false},
		"scratch":            {[]bpf.Instruction{x(7), bpf.StoreScratch{Src: bpf.RegX, N: 15}, bpf.LoadScratch{Dst: bpf.RegA, N: 15}, eq(7), yes, no}, true},
		"division by 0":      {[]bpf.Instruction{a(7), bpf.ALUOpX{Op: bpf.ALUOpDiv}, yes}, false},
		"modulus by 0":       {[]bpf.Instruction{a(7), bpf.ALUOpX{Op: bpf.ALUOpMod}, yes}, false},
		"shift by 32":        {[]bpf.Instruction{a(7), x(32), bpf.ALUOpX{Op: bpf.ALUOpShiftLeft}, retA}, false},
		"negation":           {[]bpf.Instruction{a(1), bpf.NegateA{}, eq(math.MaxUint32), yes, no}, true},
		"jump into a fusion": {[]bpf.Instruction{a(9), bpf.Jump{Skip: 1}, bpf.LoadAbsolute{Off: 1, Size: 1}, eq(9), yes, no}, true},
	} {
		if got := assemble(t, c.ins...).Match(data, 1500); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestLongestProgram(t *testing.T) {
	raw := make([]bpf.RawInstruction, MaxInstructions)
	raw[0] = bpf.RawInstruction{Op: 0x05, K: MaxInstructions - 2} // to the last
	for i := 1; i < len(raw); i++ {
		raw[i] = bpf.RawInstruction{Op: 0x06}
	}
	raw[MaxInstructions-1].K = 1
	p, err := NewProgram(raw)
	if err != nil || !p.Match(nil, 0) {
		t.Fatalf("the jump over 65,534 instructions went wrong: %v", err)
	}
	if !slices.Equal(p.Raw(), raw) {
		t.Error("Raw differs from what NewProgram got")
	}
}

// The bound of turns grows with the loops, and not beyond maxLoops.
func TestLoopsAreCounted(t *testing.T) {
	for _, n := range []int{0, 1, 2, maxLoops, 10 * maxLoops} {
		raw := []bpf.RawInstruction{{}}
		for range n {
			// Two jumps to one place are one loop.
			raw = append(raw, bpf.RawInstruction{}, bpf.RawInstruction{Op: 0x05, K: math.MaxUint32 - 1}, bpf.RawInstruction{Op: 0x05, K: math.MaxUint32 - 2})
		}
		p, err := NewProgram(append(raw, bpf.RawInstruction{Op: 0x06}))
		if err != nil || p.loops != min(n, maxLoops) {
			t.Errorf("%d loops: counted %d, error %v", n, p.loops, err)
		}
	}
}

// A loop that would not end refuses the packet, whatever the packet's length.
func TestLoopEnds(t *testing.T) {
	for _, back := range []uint32{1, 2, 3} {
		p, err := NewProgram([]bpf.RawInstruction{{}, {}, {Op: 0x05, K: -back}, {Op: 0x06, K: 1}})
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{0, 7, 64, 262144} {
			if p.Match(make([]byte, size), 0) {
				t.Errorf("jump by -%d in %d bytes: a match", back, size)
			}
		}
	}
}

func TestKey(t *testing.T) {
	a := assemble(t, bpf.LoadAbsolute{Off: 12, Size: 2}, yes)
	b := assemble(t, bpf.LoadAbsolute{Off: 12, Size: 2}, yes)
	c := assemble(t, bpf.LoadAbsolute{Off: 13, Size: 2}, yes)
	if a.Key() != b.Key() || a.Key() == c.Key() {
		t.Error("keys do not tell programs apart")
	}
	a.Raw()[0].K = 99
	if a.Raw()[0].K != 12 {
		t.Error("Raw hands out the program's own memory")
	}
}
