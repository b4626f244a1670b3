package filter

import (
	"cmp"
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

// classify classifies with a new Scratch and puts the hits of each packet in
// order.
func classify(c *Classifier, pkts []pkt.Packet, hits []Hit) (int, []Hit) {
	var s Scratch
	s.Fit(c)
	before := len(hits)
	n, hits := c.Classify(&s, pkts, hits)
	slices.SortFunc(hits[before:], func(a, b Hit) int {
		return cmp.Or(cmp.Compare(a.Packet, b.Packet), cmp.Compare(a.Member, b.Member))
	})
	return n, hits
}

func TestClassify(t *testing.T) {
	all := assemble(t, yes)
	c := NewClassifier([]*Program{port(t, 80), all, nil, port(t, 53), all, port(t, 80)})
	pkts := []pkt.Packet{packet(80), packet(53), packet(1), {Link: nil, Wire: 9}}
	want := []Hit{{0, 0}, {0, 1}, {0, 4}, {0, 5}, {1, 1}, {1, 3}, {1, 4}, {2, 1}, {2, 4}, {3, 1}, {3, 4}}
	if n, got := classify(c, pkts, make([]Hit, 0, 64)); n != len(pkts) || !slices.Equal(got, want) {
		t.Errorf("%d packets, hits %v; want %v", n, got, want)
	}
	if c.Len() != 6 {
		t.Errorf("%d members, want 6", c.Len())
	}
}

// However small the room, the hits are those of one large call, and none is
// put beyond it.
func TestClassifyRoom(t *testing.T) {
	all := assemble(t, yes)
	c := NewClassifier([]*Program{all, port(t, 80), all})
	var pkts []pkt.Packet
	for i := range 10 {
		pkts = append(pkts, packet(uint16(80+i%2)))
	}
	_, want := classify(c, pkts, make([]Hit, 0, 100))
	for room := range 40 {
		backing := make([]Hit, room+1)
		var got []Hit
		for done := 0; done < len(pkts); {
			n, out := classify(c, pkts[done:], backing[:0:room])
			if n == 0 {
				if room >= c.Len() {
					t.Fatalf("room %d decides no packet", room)
				}
				got = want
				break
			}
			for _, h := range out {
				got = append(got, Hit{h.Packet + uint32(done), h.Member})
			}
			done += n
		}
		if !slices.Equal(got, want) || backing[room] != (Hit{}) {
			t.Errorf("room %d: %v, want %v", room, got, want)
		}
	}
}

func TestClassifyAppends(t *testing.T) {
	c := NewClassifier([]*Program{assemble(t, yes)})
	old := append(make([]Hit, 0, 2), Hit{7, 7})
	n, got := classify(c, []pkt.Packet{packet(1), packet(2)}, old)
	if want := []Hit{{7, 7}, {0, 0}}; n != 1 || !slices.Equal(got, want) {
		t.Errorf("%d packets, %v; want 1, %v", n, got, want)
	}
}

func TestClassifyNothing(t *testing.T) {
	pkts := []pkt.Packet{packet(1), packet(2)}
	if n, hits := classify(NewClassifier(nil), pkts, nil); n != 2 || len(hits) != 0 {
		t.Errorf("%d packets, %v; want 2 and no hit", n, hits)
	}
	if n, hits := classify(NewClassifier([]*Program{nil}), pkts, make([]Hit, 0, 1)); n != 2 || len(hits) != 0 {
		t.Errorf("%d packets, %v; want 2 and no hit", n, hits)
	}
}

func TestNoAllocations(t *testing.T) {
	var programs []*Program
	for i := range 50 {
		programs = append(programs, port(t, uint32(i%10)), assemble(t, yes))
	}
	c := NewClassifier(programs)
	pkts := []pkt.Packet{packet(1), packet(2), packet(3)}
	hits := make([]Hit, 0, 3*c.Len())
	var s Scratch
	s.Fit(c)
	if n := testing.AllocsPerRun(100, func() { _, hits = c.Classify(&s, pkts, hits[:0]) }); n != 0 {
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
			hits := make([]Hit, 0, len(pkts)*members)
			var s Scratch
			s.Fit(c)
			b.ReportAllocs()
			for b.Loop() {
				_, hits = c.Classify(&s, pkts, hits[:0])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(pkts)), "ns/packet")
		})
	}
}
