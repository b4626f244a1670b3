package offline

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcap"
)

// fcsFiles declare frame check sequences, pcap in its link type and pcapng in
// if_fcslen. Their frames were captured with all, some or none of the sequence.
func fcsFiles() map[string]*writer {
	files := map[string]*writer{}
	for _, order := range []func() *writer{le, be} {
		for _, words := range []uint32{1, 2, 15} {
			w, ng := order().pcapHead(0xa1b2c3d4, 2, 4, 100, words<<28|0x04000001), order().section()
			ng.iface(1, 100, ng.opt(13, byte(2*words)))
			for i, f := range []struct{ capture, wire uint32 }{{64, 64}, {60, 64}, {62, 64}, {50, 64}, {3, 3}, {1, 64}, {64, 1518}} {
				w.u32(1700000000, 2, f.capture, f.wire)
				w.Write(frame(int(f.capture), i))
				ng.enhanced(0, 1700000000000002, f.wire, frame(int(f.capture), i))
			}
			files[fmt.Sprint("pcap ", words, w.order)] = w
			files[fmt.Sprint("pcapng ", words, w.order)] = ng
		}
	}
	return files
}

// TestFCS checks that a declared check sequence changes neither bytes nor
// lengths, compared with libpcap, tcpdump's filters and capinfos.
func TestFCS(t *testing.T) {
	for name, w := range fcsFiles() {
		t.Run(name, func(t *testing.T) {
			path := save(t, w.Bytes())
			agree(t, path)
			for _, expr := range []string{"less 60", "less 63", "len = 64", "greater 64", "ether[60] >= 0", "ether[63] >= 0"} {
				if got, want := matches(t, path, expr), tcpdumpCount(t, path, expr); got != want {
					t.Errorf("%s: %d packets, tcpdump has %d", expr, got, want)
				}
			}
			sameSums(t, path)
		})
	}
}

// matches counts the packets that libpcap's bpf_filter accepts.
func matches(t *testing.T, path, expr string) int {
	t.Helper()
	bpf, err := pcap.NewBPF(layers.LinkTypeEthernet, 65535, expr)
	if err != nil {
		t.Fatal(err)
	}
	pkts, _, err := read(t, path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range pkts {
		if bpf.Matches(gopacket.CaptureInfo{CaptureLength: len(p.Link), Length: int(p.Wire)}, p.Link) {
			n++
		}
	}
	return n
}

func tcpdumpCount(t *testing.T, path, expr string) int {
	t.Helper()
	out, err := exec.Command(tool(t, "tcpdump"), "-r", path, "--count", expr).Output()
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.Fields(string(out))[0])
	if err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return n
}

// sameSums compares with the counts of capinfos.
func sameSums(t *testing.T, path string) {
	t.Helper()
	out, err := exec.Command(tool(t, "capinfos"), "-TMrcd", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	pkts, _, err := read(t, path)
	if err != nil {
		t.Fatal(err)
	}
	wire := 0
	for _, p := range pkts {
		wire += int(p.Wire)
	}
	if got := fmt.Sprintf("%s\t%d\t%d", path, len(pkts), wire); got != strings.TrimSpace(string(out)) {
		t.Errorf("%s; capinfos has %s", got, out)
	}
}

func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip("needs " + name)
	}
	return path
}
