package bpf_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	netbpf "golang.org/x/net/bpf"

	"gomapi/internal/bpf"
	"gomapi/internal/bpf/bpftest"
	"gomapi/internal/mapierr"
)

var (
	yes = netbpf.RetConstant{Val: 1}
	no  = netbpf.RetConstant{Val: 0}
)

func TestNewProgramRefuses(t *testing.T) {
	ret := bpf.RawInstruction{Op: 0x06, K: 1}
	for name, c := range map[string]struct {
		raw  []bpf.RawInstruction
		text string
	}{
		"empty":           {nil, "0 instructions"},
		"too long":        {make([]bpf.RawInstruction, bpf.MaxInstructions+1), "65537 instructions"},
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
		p, err := bpf.NewProgram(c.raw)
		if p != nil || mapierr.CodeOf(err, 0) != mapierr.PcapBPF || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, %v; want 1025 with %q", name, p, err, c.text)
		}
	}
}

// TestNewProgramCodes: the accepted codes are those of the kernel's bpf_check_classic.
func TestNewProgramCodes(t *testing.T) {
	valid := []uint16{
		0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x94, 0x9c, 0x54, 0x5c, 0x44, 0x4c, 0xa4, 0xac,
		0x64, 0x6c, 0x74, 0x7c, 0x84, 0x20, 0x28, 0x30, 0x80, 0x40, 0x48, 0x50, 0x00, 0x60, 0x81, 0xb1,
		0x01, 0x61, 0x02, 0x03, 0x07, 0x87, 0x06, 0x16, 0x05, 0x15, 0x1d, 0x35, 0x3d, 0x25, 0x2d, 0x45, 0x4d,
	}
	for code := range math.MaxUint16 + 1 {
		_, err := bpf.NewProgram([]bpf.RawInstruction{{Op: uint16(code), K: 1}, {Op: 0x06}, {Op: 0x06}})
		if want := slices.Contains(valid, uint16(code)); (err == nil) != want {
			t.Errorf("code %#x: %v", code, err)
		}
	}
}

func TestMatch(t *testing.T) {
	data := []byte{0x45, 1, 2, 3, 4, 5, 6, 7}
	retA := netbpf.RetA{}
	x := func(v uint32) netbpf.Instruction { return netbpf.LoadConstant{Dst: netbpf.RegX, Val: v} }
	a := func(v uint32) netbpf.Instruction { return netbpf.LoadConstant{Dst: netbpf.RegA, Val: v} }
	eq := func(v uint32) netbpf.Instruction { return netbpf.JumpIf{Cond: netbpf.JumpEqual, Val: v, SkipFalse: 1} }
	for name, c := range map[string]struct {
		ins  []netbpf.Instruction
		want bool
	}{
		"last word":          {[]netbpf.Instruction{netbpf.LoadAbsolute{Off: 4, Size: 4}, eq(0x04050607), yes, no}, true},
		"word over the end":  {[]netbpf.Instruction{netbpf.LoadAbsolute{Off: 5, Size: 4}, yes}, false},
		"half over the end":  {[]netbpf.Instruction{netbpf.LoadAbsolute{Off: 7, Size: 2}, yes}, false},
		"byte over the end":  {[]netbpf.Instruction{netbpf.LoadAbsolute{Off: 8, Size: 1}, yes}, false},
		"far byte":           {[]netbpf.Instruction{netbpf.LoadAbsolute{Off: math.MaxUint32 - 0x2000, Size: 1}, yes}, false},
		"indirect":           {[]netbpf.Instruction{x(2), netbpf.LoadIndirect{Off: 4, Size: 2}, eq(0x0607), yes, no}, true},
		"indirect over":      {[]netbpf.Instruction{x(3), netbpf.LoadIndirect{Off: 4, Size: 2}, yes}, false},
		"indirect wraps":     {[]netbpf.Instruction{x(math.MaxUint32), netbpf.LoadIndirect{Off: 2, Size: 1}, yes}, false},
		"header length":      {[]netbpf.Instruction{netbpf.LoadMemShift{Off: 0}, netbpf.TXA{}, eq(20), yes, no}, true},
		"header over":        {[]netbpf.Instruction{netbpf.LoadMemShift{Off: 8}, yes}, false},
		"len is wire":        {[]netbpf.Instruction{netbpf.LoadExtension{Num: netbpf.ExtLen}, eq(1500), yes, no}, true},
		"return A":           {[]netbpf.Instruction{a(7), retA}, true},
		"return A of 0":      {[]netbpf.Instruction{retA}, false},
		"scratch starts 0":   {[]netbpf.Instruction{netbpf.LoadScratch{Dst: netbpf.RegA, N: 3}, retA}, false},
		"scratch":            {[]netbpf.Instruction{x(7), netbpf.StoreScratch{Src: netbpf.RegX, N: 15}, netbpf.LoadScratch{Dst: netbpf.RegA, N: 15}, eq(7), yes, no}, true},
		"division by 0":      {[]netbpf.Instruction{a(7), netbpf.ALUOpX{Op: netbpf.ALUOpDiv}, yes}, false},
		"modulus by 0":       {[]netbpf.Instruction{a(7), netbpf.ALUOpX{Op: netbpf.ALUOpMod}, yes}, false},
		"shift by 32":        {[]netbpf.Instruction{a(7), x(32), netbpf.ALUOpX{Op: netbpf.ALUOpShiftLeft}, retA}, false},
		"negation":           {[]netbpf.Instruction{a(1), netbpf.NegateA{}, eq(math.MaxUint32), yes, no}, true},
		"jump into a fusion": {[]netbpf.Instruction{a(9), netbpf.Jump{Skip: 1}, netbpf.LoadAbsolute{Off: 1, Size: 1}, eq(9), yes, no}, true},
	} {
		if got := bpftest.Assemble(t, c.ins...).Match(data, 1500); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestLongestProgram(t *testing.T) {
	raw := make([]bpf.RawInstruction, bpf.MaxInstructions)
	raw[0] = bpf.RawInstruction{Op: 0x05, K: bpf.MaxInstructions - 2} // to the last
	for i := 1; i < len(raw); i++ {
		raw[i] = bpf.RawInstruction{Op: 0x06}
	}
	raw[bpf.MaxInstructions-1].K = 1
	p, err := bpf.NewProgram(raw)
	if err != nil || !p.Match(nil, 0) {
		t.Fatalf("the jump over 65,534 instructions went wrong: %v", err)
	}
	if !slices.Equal(p.Raw(), raw) {
		t.Error("Raw differs from what NewProgram got")
	}
}

// TestLoopsAreCounted: each of 16 loops may make as many rounds as the packet can have
// headers.
func TestLoopsAreCounted(t *testing.T) {
	const headers = 5
	for _, loops := range []int{1, 2, 16, 160} {
		rounds := uint32(headers * min(loops, 16))
		for times, want := range map[uint32]bool{rounds: true, rounds + 1: false} {
			// A counts from 0. Two jumps to one place are one loop.
			raw := []bpf.RawInstruction{{Op: 0x04, K: 1}, {Op: 0x15, K: times + 1, Jt: 1}, {Op: 0x05, K: math.MaxUint32 - 2}, {Op: 0x06, K: 1}}
			for range loops - 1 {
				raw = append(raw, bpf.RawInstruction{}, bpf.RawInstruction{Op: 0x05, K: math.MaxUint32 - 1}, bpf.RawInstruction{Op: 0x05, K: math.MaxUint32 - 2})
			}
			p, err := bpf.NewProgram(append(raw, bpf.RawInstruction{Op: 0x06}))
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(make([]byte, 8*headers), 0); got != want || !p.HasLoop() {
				t.Errorf("%d loops, %d times: %v", loops, times, got)
			}
		}
	}
}

// TestLoopEnds: an endless loop refuses the packet, whatever the packet's length.
func TestLoopEnds(t *testing.T) {
	for _, back := range []uint32{1, 2, 3} {
		p, err := bpf.NewProgram([]bpf.RawInstruction{{}, {}, {Op: 0x05, K: -back}, {Op: 0x06, K: 1}})
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
	a := bpftest.Assemble(t, netbpf.LoadAbsolute{Off: 12, Size: 2}, yes)
	b := bpftest.Assemble(t, netbpf.LoadAbsolute{Off: 12, Size: 2}, yes)
	c := bpftest.Assemble(t, netbpf.LoadAbsolute{Off: 13, Size: 2}, yes)
	if a.Key() != b.Key() || a.Key() == c.Key() {
		t.Error("keys do not tell programs apart")
	}
	a.Raw()[0].K = 99
	if a.Raw()[0].K != 12 {
		t.Error("Raw hands out the program's own memory")
	}
}

func TestMarshal(t *testing.T) {
	raw := []bpf.RawInstruction{{Op: 0x0102, Jt: 3, Jf: 4, K: 0x05060708}, {Op: 6}}
	b := bpf.Marshal(raw)
	if got, ok := bpf.Unmarshal(b); !ok || !slices.Equal(got, raw) || !slices.Equal(b[:8], []byte{1, 2, 3, 4, 5, 6, 7, 8}) {
		t.Errorf("%x becomes %v", b, got)
	}
	if _, ok := bpf.Unmarshal(b[:15]); ok {
		t.Error("half an instruction passes")
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	arithmetic := bpftest.Assemble(t, netbpf.LoadExtension{Num: netbpf.ExtLen}, netbpf.StoreScratch{Src: netbpf.RegA, N: 1},
		netbpf.LoadScratch{Dst: netbpf.RegX, N: 1}, netbpf.ALUOpX{Op: netbpf.ALUOpDiv}, netbpf.RetA{})
	if n := testing.AllocsPerRun(100, func() { arithmetic.Match([]byte{1, 2, 3, 4}, 4) }); n != 0 {
		t.Errorf("Match makes %v allocations", n)
	}
}
