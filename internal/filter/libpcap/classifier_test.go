package libpcap

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcap"

	"gomapi/internal/bpf"
	"gomapi/internal/classify"
	"gomapi/internal/pkt"
)

// A judge is a filter as decided by libpcap's bpf_filter.
type judge struct {
	expr    string
	program *bpf.Program
	bpf     *pcap.BPF
}

func (j judge) matches(f frame) bool {
	if len(f.data) == 0 { // gopacket cannot pass on an empty packet
		return j.program.Match(f.data, uint32(f.wire))
	}
	return j.bpf.Matches(gopacket.CaptureInfo{Length: f.wire}, f.data)
}

// judges compiles expressions for a link type, as Compile does and without optimisation.
// It leaves out those that do not compile.
func judges(t testing.TB, exprs []string, linkType uint16) []judge {
	t.Helper()
	var all []judge
	var none *pcap.Handle // the method does not use it
	for _, expr := range exprs {
		if pinNames() != nil || withoutProtocols(expr) {
			continue
		}
		for _, optimize := range []bool{true, false} {
			raw, err := compile(expr, linkType, optimize)
			if err != nil {
				continue
			}
			p, err := bpf.NewProgram(raw)
			if err != nil {
				t.Fatal(err)
			}
			code := make([]pcap.BPFInstruction, len(raw))
			for i, r := range raw {
				code[i] = pcap.BPFInstruction{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
			}
			b, err := none.NewBPFInstructionFilter(code)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, judge{fmt.Sprintf("%s (optimised: %v)", expr, optimize), p, b})
		}
	}
	return all
}

// views returns frames as a driver passes them.
func views(frames []frame) []pkt.Packet {
	pkts := make([]pkt.Packet, len(frames))
	for i, f := range frames {
		pkts[i] = pkt.Packet{Link: f.data, Wire: uint32(f.wire)}
	}
	return pkts
}

// verdicts runs every filter alone, on each packet. The result is by packet and filter.
func verdicts(all []judge, frames []frame) [][]bool {
	v := make([][]bool, len(frames))
	for i, f := range frames {
		v[i] = make([]bool, len(all))
		for m, j := range all {
			v[i][m] = j.matches(f)
		}
	}
	return v
}

// agree compares a classifier of some of the filters, given by their numbers, with the
// verdicts.
func agree(t *testing.T, name string, all []judge, some []int, frames []frame, want [][]bool) {
	t.Helper()
	programs := make([]*bpf.Program, len(some))
	for m, i := range some {
		programs[m] = all[i].program
	}
	c := classify.NewClassifier(programs)
	var s classify.Scratch
	s.Fit(c)
	pkts := views(frames)
	matches := classify.NewMatches(c.Len())
	wrong := 0
	for at := 0; at < len(pkts) && wrong <= 5; at += pkt.MaxBatch {
		batch := pkts[at:min(at+pkt.MaxBatch, len(pkts))]
		c.Classify(&s, batch, matches)
		got := take(matches)
		for m, which := range some {
			for i := range batch {
				if got[m].Has(i) == want[at+i][which] {
					continue
				}
				f := frames[at+i]
				t.Errorf("%s: %q on packet %d (%d of %d bytes): match %v, want %v; %+v; %x",
					name, all[which].expr, at+i, len(f.data), f.wire, got[m].Has(i), want[at+i][which], c.Stats(), f.data)
				wrong++
			}
		}
	}
}

// take returns the packets of all members.
func take(m *classify.Matches) []pkt.Set {
	sets := make([]pkt.Set, m.Room())
	for _, i := range m.Members(nil) {
		sets[i] = m.Take(i)
	}
	return sets
}

// agreeInSubsets compares all filters, and random subsets of them.
func agreeInSubsets(t *testing.T, name string, r *rand.Rand, all []judge, frames []frame) {
	t.Helper()
	want := verdicts(all, frames)
	every := make([]int, len(all))
	for i := range every {
		every[i] = i
	}
	agree(t, name, all, every, frames, want)
	for _, size := range []int{1, 1, 2, 3, 5, 10, 20, 50, 100, 200} {
		if size > len(all) {
			continue
		}
		some := make([]int, size)
		for i := range some {
			some[i] = r.IntN(len(all))
		}
		agree(t, name, all, some, frames, want)
	}
}

// forms are further forms of pcap-filter(7), in addition to expressions.
var forms = []string{
	"not port 80", "not host 192.168.1.2", "not net 10.0.0.0/8", "not (tcp or udp)", "not portrange 1-1023", "not icmp and not arp",
	"tcp and not port 80 and not port 443", "ip and not (port 53 and udp)", "not ether multicast", "not (len > 1000)",
	"tcp[tcpflags] & tcp-syn = 0", "tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn", "tcp[13] & 0x12 = 0x12", "tcp[13] = 0x18",
	"udp[0:2] & 0xff00 = 0x3500", "ip[16:4] & 0xffffff00 = 0xc0a80100", "ip[12] = 10 or ip[12] = 192", "ip[8] >= 64", "ip[8] != 64",
	"ip[1] >> 2 = 46", "ip[6] & 0x20 != 0", "ip[2:2] >= 100 and ip[2:2] <= 200", "tcp[14:2] < 1000", "udp[4:2] <= 60",
	"len >= 60 and len <= 70", "len != 60", "ether[6:4] & 0xff = 0", "ether[20] >> 4 = 4", "ip6[7] > 1", "ip6[0] & 0xf0 = 0x60",
	"ip[0:4] / 16 = 3", "ip[2:2] / ip[6:2] = 3", "ip[2:2] % ip[8] < 9", "1 / ip[6] = 0 or ip", "ether[ip[0] & 0xf] = 4", "ip[ip[9]] != 0",
	"len - 20 = ip[2:2]", "len & 0xf = 4", "len * 2 > 200", "tcp[((tcp[12:1] & 0xf0) >> 2):1] = 71",
	"host 10.0.2.15 and port 80", "host 10.0.2.15 and not port 80", "src host 10.0.2.15 and dst net 192.168.0.0/16 and tcp",
	"port 80 or port 443 or port 53 or port 123 or portrange 6881-6999", "host (10.0.0.1 or 10.0.0.2 or 192.168.1.2) and port (80 or 53)",
	"net (10.0.0.0/8 or 172.16.0.0/12 or 192.168.0.0/16)", "not net (10.0.0.0/8 or 172.16.0.0/12 or 192.168.0.0/16)",
	"(tcp or udp) and (port 53 or port 80) and not host 10.0.0.1", "ip proto 6 and ip[8] > 60 and ip[8] < 130",
	"vlan 10 and not port 80", "vlan and not ip", "mpls 100 and not host 10.0.2.15", "pppoes and not tcp", "icmp[0] = 8 or icmp6[0] = 128",
	"not tcp port 80", "not udp", "not ip6", "not src host 10.0.2.15", "not dst net 192.168.0.0/16", "not src portrange 1024-65535",
	"tcp portrange 0-1023", "udp portrange 53-53", "portrange 0-65535", "src portrange 1-2", "not tcp portrange 1024-65535",
	"net 10.0.0.0/9", "net 10.128.0.0/9", "net 192.168.0.0/17", "net 192.168.1.0/25", "src net 192.168.1.2/31", "dst net 10.0.0.0/30",
	"net fe80::/64", "net ff02::/16", "src net 2001:db8::/48", "not net fe80::/10", "host fe80::1 and udp", "ip6 and not host ff02::16",
	"tcp[2:2] = 80 or tcp[2:2] = 443", "tcp[2:2] > 79 and tcp[2:2] < 81", "udp[2:2] != 53", "tcp[0:4] = 0x9c400050", "udp[2] = 0",
	"ip[9] = 6 or ip[9] = 17", "ip[9] > 5 and ip[9] < 18", "not (ip[9] > 5 and ip[9] < 18)", "ip[16] & 0xf0 = 224", "ip[4:2] & 1 = 1",
	"tcp[8:4] = 0", "tcp[4:4] > 0x80000000", "tcp[12] & 0xf0 = 0x50", "len = 1514 or len = 60", "greater 60 and less 1000 and udp",
	"icmp and host 10.0.2.15", "arp and host 192.168.1.1", "arp[6:2] = 1", "arp[6:2] = 2 or icmp", "ether[12:2] > 1500 and not ip",
	"ether src 00:01:02:03:04:05 and port 80", "ether[0:4] = 0xffffffff", "ether proto 0x0800 and not ip proto 17",
}

// TestClassifierShared: goroutines share a classifier, each with its own Scratch.
func TestClassifierShared(t *testing.T) {
	c := classify.NewClassifier(programs(t, mixture(rand.New(rand.NewPCG(9, 9)), 300)))
	pkts := traffic(t, pkt.MaxBatch)
	hits := func() []pkt.Set {
		var s classify.Scratch
		s.Fit(c)
		m := classify.NewMatches(c.Len())
		c.Classify(&s, pkts, m)
		return take(m)
	}
	want := hits()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if got := hits(); !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
	wg.Wait()
	if !slices.ContainsFunc(want, func(s pkt.Set) bool { return s != pkt.Set{} }) {
		t.Error("no filter matches")
	}
}

// TestClassifierAllocations takes every way through a classifier; none allocates.
func TestClassifierAllocations(t *testing.T) {
	var all []*bpf.Program
	for _, j := range judges(t, append(mixture(rand.New(rand.NewPCG(9, 9)), 500), append(expressions, forms...)...), 1) {
		all = append(all, j.program)
	}
	c := classify.NewClassifier(all)
	pkts := traffic(t, 200)
	for _, data := range builtPackets(t) {
		for n := range min(len(data), 100) {
			pkts = append(pkts, pkt.Packet{Link: data[:n], Wire: uint32(len(data))})
		}
	}
	var s classify.Scratch
	s.Fit(c)
	m := classify.NewMatches(c.Len())
	for some := range slices.Chunk(pkts, pkt.MaxBatch) {
		if n := testing.AllocsPerRun(10, func() { c.Classify(&s, some, m) }); n != 0 {
			t.Errorf("Classify makes %v allocations", n)
		}
	}
}

func TestClassifierDifferential(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	n := 60
	if testing.Short() {
		n = 10
	}
	exprs := append(append([]string{}, expressions...), forms...)
	if len(exprs) < 300 {
		t.Errorf("only %d expressions", len(exprs))
	}
	for _, c := range allCaptures(t) {
		if len(c.packets) == 0 {
			continue
		}
		own := exprs
		if c.linkType == 1 {
			g := newGenerator(r, c.packets)
			for range 60 {
				own = append(own, g.expression(3))
			}
		}
		agreeInSubsets(t, c.name, r, judges(t, own, c.linkType), sample(c.packets, n, r))
	}
}

// TestClassifierTruncated uses every prefix of packets with stacked headers, and noise.
func TestClassifierTruncated(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	exprs := append(append([]string{}, expressions...), forms...)
	all := judges(t, exprs, 1)
	for name, data := range builtPackets(t) {
		var frames []frame
		for n := range min(len(data), 200) + 1 {
			frames = append(frames, frame{data[:n], n}, frame{data[:n], len(data)})
			noise := append([]byte{}, data[:n]...)
			for range 2 {
				if n > 0 {
					noise[r.IntN(n)] = byte(r.Uint32())
				}
			}
			frames = append(frames, frame{noise, n})
		}
		agreeInSubsets(t, name, r, all, frames)
	}
	var noise []frame
	for range 200 {
		b := make([]byte, r.IntN(100))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		noise = append(noise, frame{b, len(b) + r.IntN(3)})
	}
	agreeInSubsets(t, "noise", r, all, noise)
}

// TestClassifierTraffic uses thousands of filters on the benchmark's traffic.
func TestClassifierTraffic(t *testing.T) {
	n, packets := 3000, 300
	if testing.Short() {
		n, packets = 500, 100
	}
	exprs := mixture(rand.New(rand.NewPCG(11, 12)), n)
	for i := range 200 {
		exprs = append(exprs, fmt.Sprintf("udp dst port %d", 1+i*299))
	}
	var frames []frame
	for i, p := range traffic(t, packets) {
		frames = append(frames, frame{p.Link, int(p.Wire)})
		if i%10 == 0 {
			frames = append(frames, frame{p.Link[:min(len(p.Link), i%70)], int(p.Wire)})
		}
	}
	agreeInSubsets(t, "traffic", rand.New(rand.NewPCG(1, 1)), judges(t, exprs, 1), frames)
}
