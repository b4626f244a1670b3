package classify_test

import (
	"math/rand/v2"
	"testing"
	"time"

	netbpf "golang.org/x/net/bpf"

	"gomapi/internal/bpf"
	"gomapi/internal/bpf/bpftest"
	"gomapi/internal/classify"
	"gomapi/internal/pkt"
)

// TestHostileSets uses sets made to take time or memory. For any set, a classifier stays
// within its limits, reports what runs singly, and decides like the programs.
func TestHostileSets(t *testing.T) {
	const most = 200 << 20 // bytes held
	for name, h := range map[string]struct {
		programs []*bpf.Program
		check    func(classify.Stats) bool
	}{
		"states":       {bitSets(t, 3000), func(s classify.Stats) bool { return s.Splits <= 1024 && s.Singles() == 0 }},
		"paths":        {repeat(20, func(i int) *bpf.Program { return doubling(t, i, 2, 1) }), func(s classify.Stats) bool { return s.TooLarge == 20 }},
		"steps":        {repeat(1500, func(i int) *bpf.Program { return doubling(t, i, 2, 1) }), func(s classify.Stats) bool { return s.NoBudget > 0 && s.Singles() == 1500 }},
		"products":     {repeat(500, func(i int) *bpf.Program { return doubling(t, i, 3, 0) }), func(s classify.Stats) bool { return s.Members == 500 }},
		"large terms":  {repeat(10, func(i int) *bpf.Program { return sums(t, i) }), func(s classify.Stats) bool { return s.TooLarge == 10 }},
		"loops":        {repeat(10, func(i int) *bpf.Program { return loop(t, i) }), func(s classify.Stats) bool { return s.Loops == 10 }},
		"intervals":    {repeat(40_000, func(i int) *bpf.Program { return interval(t, uint32(i)) }), func(s classify.Stats) bool { return s.Members == 40_000 }},
		"terms":        {repeat(70_000, func(i int) *bpf.Program { return distinct(t, i) }), func(s classify.Stats) bool { return s.Unindexed > 0 }},
		"alternatives": {repeat(40, func(i int) *bpf.Program { return alternatives(t, i, 3000) }), func(s classify.Stats) bool { return s.Singles() == 0 }},
		"shared":       {shared(t, 1100, 4000), func(s classify.Stats) bool { return s.NoBudget > 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			c := classify.NewClassifier(h.programs)
			s := c.Stats()
			t.Logf("%v, %+v", time.Since(start), s)
			if !h.check(s) || s.Bytes > most {
				t.Errorf("%+v", s)
			}
			sameAsPrograms(t, c, h.programs)
		})
	}
}

func sameAsPrograms(t *testing.T, c *classify.Classifier, programs []*bpf.Program) {
	t.Helper()
	r := bpftest.Programmer{Rand: rand.New(rand.NewPCG(1, 2))}
	for range 5 {
		p := r.Packet()
		hits := hitsOf(c, []pkt.Packet{p})
		for m, program := range programs {
			got := len(hits) > 0 && hits[0].member == uint32(m)
			if got {
				hits = hits[1:]
			}
			if got != program.Match(p.Link, p.Wire) {
				t.Fatalf("member %d, packet %x: %v", m, p.Link, got)
			}
		}
		if len(hits) > 0 {
			t.Fatalf("packet %x: %d hits too many", p.Link, len(hits))
		}
	}
}

func repeat(n int, make func(int) *bpf.Program) []*bpf.Program {
	var programs []*bpf.Program
	for i := range n {
		programs = append(programs, make(i))
	}
	return programs
}

// bitSets makes conjunctions of bits of the first bytes. Each doubles the states.
func bitSets(t *testing.T, n int) []*bpf.Program {
	r := rand.New(rand.NewPCG(3, 4))
	return repeat(n, func(int) *bpf.Program {
		var ins []netbpf.Instruction
		for range 6 {
			ins = append(ins, netbpf.LoadAbsolute{Off: uint32(r.IntN(3)), Size: 1},
				netbpf.JumpIf{Cond: netbpf.JumpBitsSet, Val: 1 << r.IntN(8), SkipTrue: uint8(r.IntN(2))}, netbpf.RetConstant{Val: uint32(r.IntN(2))})
		}
		return bpftest.Assemble(t, append(ins, yes)...)
	})
}

// doubling makes A distinguish the ways to an instruction: all of them if plus is not 0,
// otherwise by the number of steps of each kind.
func doubling(t *testing.T, n int, factor, plus uint32) *bpf.Program {
	ins := []netbpf.Instruction{netbpf.LoadConstant{Dst: netbpf.RegA, Val: uint32(n)}}
	for i := range 20 {
		ins = append(ins, netbpf.StoreScratch{Src: netbpf.RegA, N: 0}, netbpf.LoadAbsolute{Off: uint32(i), Size: 1},
			netbpf.JumpIf{Cond: netbpf.JumpBitsSet, Val: 1, SkipTrue: 3},
			netbpf.LoadScratch{Dst: netbpf.RegA, N: 0}, netbpf.ALUOpConstant{Op: netbpf.ALUOpMul, Val: 2}, netbpf.Jump{Skip: 3},
			netbpf.LoadScratch{Dst: netbpf.RegA, N: 0}, netbpf.ALUOpConstant{Op: netbpf.ALUOpMul, Val: factor}, netbpf.ALUOpConstant{Op: netbpf.ALUOpAdd, Val: plus})
	}
	return bpftest.Assemble(t, append(ins, netbpf.ALUOpConstant{Op: netbpf.ALUOpMod, Val: 7}, netbpf.RetA{})...)
}

// sums makes A a term of 2^20 loads.
func sums(t *testing.T, n int) *bpf.Program {
	ins := []netbpf.Instruction{netbpf.LoadAbsolute{Off: uint32(n), Size: 1}}
	for range 20 {
		ins = append(ins, netbpf.TAX{}, netbpf.ALUOpX{Op: netbpf.ALUOpAdd})
	}
	return bpftest.Assemble(t, append(ins, netbpf.RetA{})...)
}

func loop(t *testing.T, n int) *bpf.Program {
	p, err := bpf.NewProgram([]bpf.RawInstruction{{Op: 0x30, K: uint32(n)}, {Op: 0x15, Jt: 1, K: 1}, {Op: 0x05, K: 1<<32 - 3}, {Op: 0x06, K: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// interval accepts the interval that needs the most blocks.
func interval(t *testing.T, n uint32) *bpf.Program {
	return bpftest.Assemble(t, netbpf.LoadAbsolute{Off: 4, Size: 4}, netbpf.JumpIf{Cond: netbpf.JumpGreaterThan, Val: n, SkipFalse: 2},
		netbpf.JumpIf{Cond: netbpf.JumpLessThan, Val: 1<<31 - 1 + n, SkipFalse: 1}, yes, no)
}

// distinct tests a term that no other program tests.
func distinct(t *testing.T, n int) *bpf.Program {
	return bpftest.Assemble(t, netbpf.LoadAbsolute{Off: uint32(n % 60), Size: 4}, netbpf.ALUOpConstant{Op: netbpf.ALUOpMul, Val: uint32(n + 3)},
		netbpf.JumpIf{Cond: netbpf.JumpEqual, Val: 7, SkipFalse: 1}, yes, no)
}

// alternatives makes one program with many hosts.
func alternatives(t *testing.T, n, hosts int) *bpf.Program {
	const near = 200 // a jump skips at most 255 instructions
	ins := []netbpf.Instruction{netbpf.LoadAbsolute{Off: 4, Size: 4}}
	for i := range hosts {
		to := near - i%near
		ins = append(ins, netbpf.JumpIf{Cond: netbpf.JumpEqual, Val: uint32(3*(n*hosts+i) + 1), SkipTrue: uint8(to)})
		if to == 1 {
			ins = append(ins, netbpf.Jump{Skip: 1}, yes)
		}
	}
	return bpftest.Assemble(t, append(ins, no)...)
}

// shared makes programs that differ only in their first test.
func shared(t *testing.T, n, hosts int) []*bpf.Program {
	tail := alternatives(t, 0, hosts).Raw()
	return repeat(n, func(i int) *bpf.Program {
		head, err := netbpf.Assemble([]netbpf.Instruction{netbpf.LoadAbsolute{Off: 0, Size: 4},
			netbpf.JumpIf{Cond: netbpf.JumpEqual, Val: uint32(i + 1), SkipFalse: 1}, yes})
		if err != nil {
			t.Fatal(err)
		}
		p, err := bpf.NewProgram(append(head, tail...))
		if err != nil {
			t.Fatal(err)
		}
		return p
	})
}
