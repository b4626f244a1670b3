package classify_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	netbpf "golang.org/x/net/bpf"

	"gomapi/internal/bpf"
	"gomapi/internal/bpf/bpftest"
	"gomapi/internal/classify"
	"gomapi/internal/pkt"
)

// TestHostileLists: lists to which many blocks of an index lead are written out for each
// block only up to a limit.
func TestHostileLists(t *testing.T) {
	const most = 200 << 20               // bytes held
	for _, tests := range []int{0, 11} { // a check has at most 12
		t.Run(fmt.Sprint(tests), func(t *testing.T) {
			var programs []*bpf.Program
			for i := range 1000 {
				for m := range 4 { // so many members of a group are in the lists themselves
					programs = append(programs, spread(t, uint32(i), 100, tests, uint32(m)))
				}
			}
			c := classify.NewClassifier(programs)
			s := c.Stats()
			t.Logf("%+v", s)
			if s.Bytes > most || s.Singles() > 0 {
				t.Errorf("%+v", s)
			}
			sameAsPrograms(t, c, programs)
		})
	}
}

// spread makes intervals of one field, each of many blocks, followed by tests that nearly
// all packets pass. Programs that differ in their return value are one group.
func spread(t *testing.T, n, intervals uint32, tests int, returns uint32) *bpf.Program {
	const width = 1<<20 - 2
	ins := []netbpf.Instruction{netbpf.LoadAbsolute{Off: 4, Size: 4}}
	for i := range intervals {
		lo := (n*intervals+i)<<12 + i<<25 | 1
		ins = append(ins, netbpf.JumpIf{Cond: netbpf.JumpLessThan, Val: lo, SkipTrue: 1},
			netbpf.JumpIf{Cond: netbpf.JumpLessOrEqual, Val: lo + width, SkipTrue: uint8(2*(intervals-i) - 1)})
	}
	ins = append(ins, no)
	for i := range tests {
		ins = append(ins, netbpf.LoadAbsolute{Off: uint32(8 + 4*i), Size: 4},
			netbpf.JumpIf{Cond: netbpf.JumpNotEqual, Val: n + 7, SkipTrue: 1}, no)
	}
	return bpftest.Assemble(t, append(ins, netbpf.RetConstant{Val: 1 + returns})...)
}

// TestManyFields: checks may read more fields than the words of a test can number.
func TestManyFields(t *testing.T) {
	const n, at = 70_000, 40
	programs := repeat(n, func(i int) *bpf.Program {
		return bpftest.Assemble(t, netbpf.LoadAbsolute{Off: at, Size: 4}, netbpf.JumpIf{Cond: netbpf.JumpNotEqual, Val: uint32(i), SkipTrue: 3},
			netbpf.LoadAbsolute{Off: 0, Size: 4}, netbpf.ALUOpConstant{Op: netbpf.ALUOpMul, Val: uint32(i + 3)},
			netbpf.JumpIf{Cond: netbpf.JumpEqual, Val: 0, SkipTrue: 1}, no, yes)
	})
	c := classify.NewClassifier(programs)
	if c.Fields() <= 1<<16 {
		t.Fatalf("%d fields, %+v", c.Fields(), c.Stats())
	}
	for _, i := range []int{0, 1<<16 - 2, 1<<16 - 1, 1 << 16, 1<<16 + 1, n - 1} {
		for first := range byte(2) {
			p := pkt.Packet{Link: make([]byte, 64), Wire: 64}
			p.Link[0] = first
			binary.BigEndian.PutUint32(p.Link[at:], uint32(i))
			hits := hitsOf(c, []pkt.Packet{p})
			if got, want := len(hits), programs[i].Match(p.Link, p.Wire); (got == 1) != want || got == 1 && hits[0].member != uint32(i) {
				t.Errorf("member %d, first byte %d: %v, want %v", i, first, hits, want)
			}
		}
	}
}
