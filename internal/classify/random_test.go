package classify_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"gomapi/internal/bpf"
	"gomapi/internal/bpf/bpftest"
	"gomapi/internal/classify"
	"gomapi/internal/pkt"
)

// A filterset is a set of programs with the decisions of independent machines.
type filterset struct {
	raw      [][]bpf.RawInstruction
	programs []*bpf.Program
	vm, pcap []func([]byte) bool
}

func (f *filterset) add(t *testing.T, raw []bpf.RawInstruction) {
	t.Helper()
	p, err := bpf.NewProgram(raw)
	if err != nil {
		t.Fatalf("%v: %v", raw, err)
	}
	vm, pcap := bpftest.Oracles(t, raw)
	f.raw, f.programs = append(f.raw, raw), append(f.programs, p)
	f.vm, f.pcap = append(f.vm, vm), append(f.pcap, pcap)
}

// want returns the decision of filter m, and whether all machines that can run it agree.
func (f *filterset) want(m int, data []byte) (match, agreed bool) {
	match, agreed = f.programs[m].Match(data, uint32(len(data))), true
	if vm := f.vm[m]; vm != nil && vm(data) != match {
		agreed = false
	}
	if pcap := f.pcap[m]; pcap != nil && len(data) > 0 && pcap(data) != match {
		agreed = false
	}
	return match, agreed
}

func (f *filterset) compare(t *testing.T, name string, pkts []pkt.Packet) {
	t.Helper()
	c := classify.NewClassifier(f.programs)
	possible := c.Possible()
	for i, p := range pkts {
		hits := hitsOf(c, pkts[i:i+1])
		if n := slices.IndexFunc(hits, func(h hit) bool { return !possible[h.member] }); n >= 0 {
			t.Fatalf("%s: packet %x matches %v, which counts as impossible", name, p.Link, f.raw[hits[n].member])
		}
		var want []hit
		for m := range f.programs {
			match, agreed := f.want(m, p.Link)
			if !agreed {
				t.Fatalf("%s: machines differ about %v on %x", name, f.raw[m], p.Link)
			}
			if match {
				want = append(want, hit{0, uint32(m)})
			}
		}
		if !slices.Equal(hits, want) {
			t.Fatalf("%s: packet %x: %v, want %v (%+v)", name, p.Link, hits, want, c.Stats())
		}
	}
}

// TestRandomPrograms compares random programs in sets of all sizes with x/net/bpf and
// libpcap.
func TestRandomPrograms(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	for seed := range rounds {
		r := bpftest.Programmer{Rand: rand.New(rand.NewPCG(uint64(seed), 1))}
		var f filterset
		for range r.One(1, 2, 5, 20, 100, 300) {
			f.add(t, r.Program())
		}
		var pkts []pkt.Packet
		for range 40 {
			pkts = append(pkts, r.Packet())
		}
		f.compare(t, fmt.Sprint("seed ", seed), pkts)
	}
}

// FuzzRandomPrograms lets the fuzzer choose sets and packets.
func FuzzRandomPrograms(f *testing.F) {
	f.Add(uint64(1), uint8(3), []byte("\x00\x01\x02\x03\x04\x06\x08\x11\x45\xff"))
	f.Fuzz(func(t *testing.T, seed uint64, size uint8, data []byte) {
		r := bpftest.Programmer{Rand: rand.New(rand.NewPCG(seed, 2))}
		var set filterset
		for range size {
			set.add(t, r.Program())
		}
		pkts := []pkt.Packet{{Link: data, Wire: uint32(len(data))}, r.Packet(), r.Packet()}
		set.compare(t, "set", pkts)
	})
}
