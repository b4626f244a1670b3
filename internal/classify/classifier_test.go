package classify_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	netbpf "golang.org/x/net/bpf"

	"gomapi/internal/bpf"
	"gomapi/internal/bpf/bpftest"
	"gomapi/internal/classify"
	"gomapi/internal/pkt"
)

// port makes the program that accepts packets whose bytes at 2 are n.
func port(t testing.TB, n uint32) *bpf.Program {
	return bpftest.Assemble(t, netbpf.LoadAbsolute{Off: 2, Size: 2}, netbpf.JumpIf{Cond: netbpf.JumpEqual, Val: n, SkipFalse: 1}, yes, no)
}

func packet(n uint16) pkt.Packet {
	return pkt.Packet{Link: binary.BigEndian.AppendUint16([]byte{0, 0}, n), Wire: 4}
}

// A hit is a packet that matches a member's filter.
type hit struct{ packet, member uint32 }

// hitsOf classifies with a new classify.Scratch and returns the hits of each packet in
// order.
func hitsOf(c *classify.Classifier, pkts []pkt.Packet) (hits []hit) {
	var s classify.Scratch
	s.Fit(c)
	m := classify.NewMatches(c.Len())
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

var (
	yes = netbpf.RetConstant{Val: 1}
	no  = netbpf.RetConstant{Val: 0}
)

func TestClassify(t *testing.T) {
	all := bpftest.Assemble(t, yes)
	c := classify.NewClassifier([]*bpf.Program{port(t, 80), all, nil, port(t, 53), all, port(t, 80)})
	pkts := []pkt.Packet{packet(80), packet(53), packet(1), {Link: nil, Wire: 9}}
	want := []hit{{0, 0}, {0, 1}, {0, 4}, {0, 5}, {1, 1}, {1, 3}, {1, 4}, {2, 1}, {2, 4}, {3, 1}, {3, 4}}
	if got := hitsOf(c, pkts); !slices.Equal(got, want) {
		t.Errorf("hits %v; want %v", got, want)
	}
	if c.Len() != 6 {
		t.Errorf("%d members, want 6", c.Len())
	}
}

// TestMatches uses a whole batch, and members in all words of the marks. Taking clears.
func TestMatches(t *testing.T) {
	const members = 3 * 4096
	programs := make([]*bpf.Program, members)
	for _, i := range []int{0, 63, 64, 4095, 4096, members - 1} {
		programs[i] = port(t, uint32(i))
	}
	c := classify.NewClassifier(programs)
	pkts := make([]pkt.Packet, pkt.MaxBatch)
	for i := range pkts {
		pkts[i] = packet(uint16(4000 + i))
	}
	pkts[0], pkts[255] = packet(0), packet(members-1)
	want := []hit{{0, 0}, {95, 4095}, {96, 4096}, {255, members - 1}}
	if got := hitsOf(c, pkts); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	var s classify.Scratch
	s.Fit(c)
	m := classify.NewMatches(members)
	for range 2 {
		c.Classify(&s, pkts, m)
		for _, i := range m.Members(nil) {
			m.Take(i)
		}
	}
	if left := m.Members(nil); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
	for i := range uint32(members) {
		if left := m.Take(i); left != (pkt.Set{}) {
			t.Fatalf("member %d has %v left", i, left)
		}
	}
}

func TestClassifyNothing(t *testing.T) {
	pkts := []pkt.Packet{packet(1), packet(2)}
	for _, programs := range [][]*bpf.Program{nil, {nil}} {
		if hits := hitsOf(classify.NewClassifier(programs), pkts); len(hits) != 0 {
			t.Errorf("%v; want no hit", hits)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	var programs []*bpf.Program
	for i := range 50 {
		programs = append(programs, port(t, uint32(i%10)), bpftest.Assemble(t, yes))
	}
	c := classify.NewClassifier(programs)
	pkts := []pkt.Packet{packet(1), packet(2), packet(3)}
	m := classify.NewMatches(c.Len())
	var s classify.Scratch
	s.Fit(c)
	if n := testing.AllocsPerRun(100, func() { c.Classify(&s, pkts, m) }); n != 0 {
		t.Errorf("Classify makes %v allocations", n)
	}
}

func BenchmarkClassify(b *testing.B) {
	for _, members := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			var programs []*bpf.Program
			for i := range members {
				programs = append(programs, port(b, uint32(i)))
			}
			c := classify.NewClassifier(programs)
			pkts := make([]pkt.Packet, 64)
			for i := range pkts {
				pkts[i] = packet(uint16(i))
			}
			m := classify.NewMatches(members)
			var s classify.Scratch
			s.Fit(c)
			b.ReportAllocs()
			for b.Loop() {
				c.Classify(&s, pkts, m)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(pkts)), "ns/packet")
		})
	}
}
