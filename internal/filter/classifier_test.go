package filter

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/net/bpf"

	"gomapi/internal/pkt"
)

// port makes the program that accepts packets whose bytes at 2 are n.
func port(t testing.TB, n uint32) *Program {
	return assemble(t, bpf.LoadAbsolute{Off: 2, Size: 2}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: n, SkipFalse: 1}, yes, no)
}

func packet(n uint16) pkt.Packet {
	return pkt.Packet{Link: binary.BigEndian.AppendUint16([]byte{0, 0}, n), Wire: 4}
}

// A hit says that a packet matches a member's filter.
type hit struct{ packet, member uint32 }

// classify classifies with a new Scratch and returns the hits of each packet in order.
func classify(c *Classifier, pkts []pkt.Packet) (hits []hit) {
	var s Scratch
	s.Fit(c)
	m := NewMatches(c.Len())
	c.Classify(&s, pkts, m)
	members := m.Members(nil)
	sets := make([]pkt.Set, len(members))
	for i, member := range members {
		sets[i] = m.Take(member)
	}
	for i := range pkts {
		for j, member := range members {
			if sets[j].Has(i) {
				hits = append(hits, hit{uint32(i), member})
			}
		}
	}
	return hits
}

func TestClassify(t *testing.T) {
	all := assemble(t, yes)
	c := NewClassifier([]*Program{port(t, 80), all, nil, port(t, 53), all, port(t, 80)})
	pkts := []pkt.Packet{packet(80), packet(53), packet(1), {Link: nil, Wire: 9}}
	want := []hit{{0, 0}, {0, 1}, {0, 4}, {0, 5}, {1, 1}, {1, 3}, {1, 4}, {2, 1}, {2, 4}, {3, 1}, {3, 4}}
	if got := classify(c, pkts); !slices.Equal(got, want) {
		t.Errorf("hits %v; want %v", got, want)
	}
	if c.Len() != 6 {
		t.Errorf("%d members, want 6", c.Len())
	}
}

// A whole batch, and members in all words of the marks. What was taken is gone.
func TestMatches(t *testing.T) {
	const members = 3 * 4096
	programs := make([]*Program, members)
	for _, i := range []int{0, 63, 64, 4095, 4096, members - 1} {
		programs[i] = port(t, uint32(i))
	}
	c := NewClassifier(programs)
	pkts := make([]pkt.Packet, pkt.MaxBatch)
	for i := range pkts {
		pkts[i] = packet(uint16(4000 + i))
	}
	pkts[0], pkts[255] = packet(0), packet(members-1)
	want := []hit{{0, 0}, {95, 4095}, {96, 4096}, {255, members - 1}}
	if got := classify(c, pkts); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	var s Scratch
	s.Fit(c)
	m := NewMatches(members)
	for range 2 {
		c.Classify(&s, pkts, m)
		for _, i := range m.Members(nil) {
			m.Take(i)
		}
	}
	if left := m.Members(nil); len(left) > 0 || slices.ContainsFunc(m.sets, func(s pkt.Set) bool { return s != pkt.Set{} }) {
		t.Errorf("%v are left", left)
	}
}

func TestClassifyNothing(t *testing.T) {
	pkts := []pkt.Packet{packet(1), packet(2)}
	for _, programs := range [][]*Program{nil, {nil}} {
		if hits := classify(NewClassifier(programs), pkts); len(hits) != 0 {
			t.Errorf("%v; want no hit", hits)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	var programs []*Program
	for i := range 50 {
		programs = append(programs, port(t, uint32(i%10)), assemble(t, yes))
	}
	c := NewClassifier(programs)
	pkts := []pkt.Packet{packet(1), packet(2), packet(3)}
	m := NewMatches(c.Len())
	var s Scratch
	s.Fit(c)
	if n := testing.AllocsPerRun(100, func() { c.Classify(&s, pkts, m) }); n != 0 {
		t.Errorf("Classify makes %v allocations", n)
	}
	arithmetic := assemble(t, bpf.LoadExtension{Num: bpf.ExtLen}, bpf.StoreScratch{Src: bpf.RegA, N: 1},
		bpf.LoadScratch{Dst: bpf.RegX, N: 1}, bpf.ALUOpX{Op: bpf.ALUOpDiv}, bpf.RetA{})
	if n := testing.AllocsPerRun(100, func() { arithmetic.Match(pkts[0].Link, 4) }); n != 0 {
		t.Errorf("Match makes %v allocations", n)
	}
}

func BenchmarkClassify(b *testing.B) {
	for _, members := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			var programs []*Program
			for i := range members {
				programs = append(programs, port(b, uint32(i)))
			}
			c := NewClassifier(programs)
			pkts := make([]pkt.Packet, 64)
			for i := range pkts {
				pkts[i] = packet(uint16(i))
			}
			m := NewMatches(members)
			var s Scratch
			s.Fit(c)
			b.ReportAllocs()
			for b.Loop() {
				c.Classify(&s, pkts, m)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(pkts)), "ns/packet")
		})
	}
}
