package acceptance

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket/pcap"

	"gomapi/internal/pkt"
	"gomapi/internal/testdata"
)

// TestRandomFilters generates filters from the contents of the captures and
// compares with tcpdump on the same files. The seed differs in each run;
// MAPI_SEED repeats one.
func TestRandomFilters(t *testing.T) {
	needs(t, "tcpdump")
	seed := rand.Uint64()
	if s := os.Getenv("MAPI_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("MAPI_SEED=%d", seed)
	client := start(t).client()
	for _, name := range []string{
		"mapi-tracefile.pcap", "nd-ftp.pcap", "nd-gnutella.pcap", "lt-vlan.pcap", "zk-mixed-vlan-mpls.pcap",
		"nd-http-ipv6.pcap", "nd-6in4.pcap", "tr-fragroute.pcap", "sv-sll2.pcap", "nd-psiphon3-raw.pcap",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(testdata.Dir(t), name)
			g := newGenerator(t, seed, path)
			var filters []string
			var want [][2]uint64
			for len(filters) < 25 {
				f := g.filter(2)
				n, ok := tcpdumpCount(t, path, f)
				if !ok {
					continue // invalid for this link type
				}
				filters, want = append(filters, f), append(want, n)
			}
			for i, got := range countFile(t, client, path, filters...) {
				if got != want[i] {
					t.Errorf("%q: %d packets, %d bytes, tcpdump says %d, %d", filters[i], got[0], got[1], want[i][0], want[i][1])
				}
			}
		})
	}
}

// tcpdumpCount selects packets with tcpdump and counts its output with libpcap.
func tcpdumpCount(t *testing.T, path, filter string) (n [2]uint64, ok bool) {
	t.Helper()
	selected := filepath.Join(t.TempDir(), "selected.pcap")
	if err := tcpdump("-n", "-r", path, "-w", selected, filter); err != nil {
		return n, false
	}
	h, err := pcap.OpenOffline(selected)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for {
		_, info, err := h.ZeroCopyReadPacketData()
		if err != nil {
			return n, true
		}
		n[0]++
		n[1] += uint64(info.Length)
	}
}

// generator generates filters from the addresses and ports of a capture.
type generator struct {
	*rand.Rand
	hosts []netip.Addr
	ports []uint16
}

func newGenerator(t *testing.T, seed uint64, path string) *generator {
	t.Helper()
	h, err := pcap.OpenOffline(path)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	g := &generator{Rand: rand.New(rand.NewPCG(seed, uint64(len(path)))), ports: []uint16{80, 53}}
	var headers pkt.Headers
	for range 2000 {
		data, _, err := h.ZeroCopyReadPacketData()
		if err != nil {
			break
		}
		pkt.Parse(data, uint16(h.LinkType()), &headers)
		if ip := headers.IPv4(data); ip != nil {
			g.hosts = append(g.hosts, netip.AddrFrom4([4]byte(ip[12:16])), netip.AddrFrom4([4]byte(ip[16:20])))
		}
		if ip := headers.IPv6(data); ip != nil {
			g.hosts = append(g.hosts, netip.AddrFrom16([16]byte(ip[8:24])), netip.AddrFrom16([16]byte(ip[24:40])))
		}
		if headers.Has&pkt.HasPorts != 0 {
			g.ports = append(g.ports, headers.SrcPort, headers.DstPort)
		}
	}
	if len(g.hosts) == 0 {
		g.hosts = []netip.Addr{netip.MustParseAddr("10.0.0.1")}
	}
	return g
}

// filter returns an expression with up to depth levels of "and" and "or".
func (g *generator) filter(depth int) string {
	if depth == 0 || g.IntN(3) == 0 {
		return g.primitive()
	}
	op := []string{"and", "or"}[g.IntN(2)]
	expr := fmt.Sprintf("(%s) %s (%s)", g.filter(depth-1), op, g.filter(depth-1))
	if g.IntN(4) == 0 {
		expr = "not (" + expr + ")"
	}
	return expr
}

func (g *generator) primitive() string {
	host := g.hosts[g.IntN(len(g.hosts))]
	port := g.ports[g.IntN(len(g.ports))]
	dir := []string{"", "src ", "dst "}[g.IntN(3)]
	bits := 8 + g.IntN(host.BitLen()-8)
	prefix, _ := host.Prefix(bits)
	forms := []string{
		dir + "host " + host.String(),
		dir + "net " + prefix.String(),
		dir + fmt.Sprintf("port %d", port),
		dir + fmt.Sprintf("portrange %d-%d", port, min(int(port)+g.IntN(2000), 65535)),
		[]string{"tcp", "udp", "icmp", "ip", "ip6", "arp", "icmp6"}[g.IntN(7)],
		fmt.Sprintf("greater %d", g.IntN(1500)),
		fmt.Sprintf("less %d", g.IntN(1500)),
		fmt.Sprintf("tcp[tcpflags] & 0x%x != 0", 1<<g.IntN(6)),
		fmt.Sprintf("ip[%d] & 0x%x = %d", g.IntN(20), g.IntN(256), g.IntN(8)),
		fmt.Sprintf("ip proto %d", []int{1, 6, 17, 41, 47}[g.IntN(5)]),
	}
	if host.Is6() {
		forms = append(forms, "ip6 "+strings.TrimPrefix(forms[0], " "))
	}
	return forms[g.IntN(len(forms))]
}
