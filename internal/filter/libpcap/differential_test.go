package libpcap

import (
	"math/rand/v2"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcap"
	netbpf "golang.org/x/net/bpf"

	"gomapi/internal/bpf"
)

// An oracle holds independent machines for one expression.
type oracle struct {
	program *bpf.Program
	whole   *pcap.BPF  // compiled and run by libpcap; nil if that needs a netmask
	run     *pcap.BPF  // our program, run by libpcap's bpf_filter
	vm      *netbpf.VM // our program in x/net/bpf, which knows only one length; nil if it cannot run it
}

func newOracle(t *testing.T, h *pcap.Handle, expr string, p *bpf.Program) oracle {
	t.Helper()
	o := oracle{program: p}
	o.whole, _ = h.NewBPF(expr)
	raw := p.Raw()
	code := make([]pcap.BPFInstruction, len(raw))
	for i, r := range raw {
		code[i] = pcap.BPFInstruction{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	var err error
	if o.run, err = h.NewBPFInstructionFilter(code); err != nil {
		t.Fatal(err)
	}
	ins, _ := netbpf.Disassemble(raw)
	for _, r := range raw {
		if r.Op == 0x81 || r.Op == 0x84 { // it gets "ldx len" and "neg" wrong
			return o
		}
	}
	o.vm, _ = netbpf.NewVM(ins)
	return o
}

// differs returns the machine that disagrees about a packet, "" if none does.
func (o oracle) differs(f frame) string {
	got := o.program.Match(f.data, uint32(f.wire))
	if o.vm != nil && f.wire == len(f.data) {
		if n, err := o.vm.Run(f.data); err != nil || (n != 0) != got {
			return "x/net/bpf"
		}
	}
	if len(f.data) == 0 { // gopacket cannot pass on an empty packet
		return ""
	}
	ci := gopacket.CaptureInfo{Length: f.wire}
	if o.run.Matches(ci, f.data) != got {
		return "bpf_filter"
	}
	if o.whole != nil && o.whole.Matches(ci, f.data) != got {
		return "libpcap"
	}
	return ""
}

// sample returns up to n packets of all, evenly distributed, with each tenth truncated.
func sample(all []frame, n int, r *rand.Rand) []frame {
	step := max(1, len(all)/n)
	var some []frame
	for i := 0; i < len(all); i += step {
		some = append(some, all[i])
		if i/step%10 == 0 {
			cut := all[i].data[:r.IntN(len(all[i].data)+1)]
			some = append(some, frame{cut, all[i].wire}, frame{cut, len(cut)})
		}
	}
	return some
}

// compare checks exprs on packets of one link type and returns how many of them compile
// for it.
func compare(t *testing.T, c capture, exprs []string, packets []frame) int {
	t.Helper()
	compiled, matches := 0, 0
	for _, expr := range exprs {
		p, err := program(expr, c.linkType)
		if err != nil {
			if _, pcapErr := c.handle.NewBPF(expr); pcapErr == nil {
				t.Errorf("%s: libpcap compiles %q: %v", c.name, expr, err)
			}
			continue
		}
		compiled++
		o := newOracle(t, c.handle, expr, p)
		for i, f := range packets {
			if p.Match(f.data, uint32(f.wire)) {
				matches++
			}
			if who := o.differs(f); who != "" {
				t.Errorf("%s: %q on packet %d (%d of %d bytes): %s does not say %v: %x",
					c.name, expr, i, len(f.data), f.wire, who, p.Match(f.data, uint32(f.wire)), f.data)
				break
			}
		}
	}
	t.Logf("%s: %d expressions, %d packets, %d matches", c.name, compiled, len(packets), matches)
	return compiled
}

func TestDifferential(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	n := 1000
	if testing.Short() {
		n = 20
	}
	for _, c := range allCaptures(t) {
		compiled := compare(t, c, expressions, sample(c.packets, n, r))
		if c.linkType == 1 && compiled < 150 {
			t.Errorf("only %d of %d expressions compile for Ethernet", compiled, len(expressions))
		}
	}
}

// TestDifferentialTruncated uses every prefix of packets with stacked headers, down to
// the empty one.
func TestDifferentialTruncated(t *testing.T) {
	ethernet := capture{name: "built", linkType: 1}
	for _, c := range allCaptures(t) {
		if c.linkType == 1 {
			ethernet.handle = c.handle
		}
	}
	var packets []frame
	for _, data := range builtPackets(t) {
		for n := range len(data) + 1 {
			packets = append(packets, frame{data[:n], n}, frame{data[:n], len(data)})
		}
	}
	compare(t, ethernet, expressions, packets)
}

func TestDifferentialRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	n := 100
	if testing.Short() {
		n = 5
	}
	for _, c := range allCaptures(t) {
		if c.linkType != 1 || len(c.packets) == 0 {
			continue
		}
		g := newGenerator(r, c.packets)
		exprs := make([]string, n)
		for i := range exprs {
			exprs[i] = g.expression(3)
		}
		if compiled := compare(t, c, exprs, sample(c.packets, 100, r)); compiled < n/2 {
			t.Errorf("%s: only %d of %d compile", c.name, compiled, n)
		}
	}
}
