package summary

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcap"
	"github.com/google/gopacket/pcapgo"

	"gomapi/internal/testdata"
)

// A frame is a packet of a capture, as read by libpcap.
type frame struct {
	data []byte
	wire uint32
	dlt  uint16
}

// frames reads a file to its end or to damage; ok is false if it cannot be read
// at all.
func frames(t *testing.T, file string) (all []frame, ok bool) {
	t.Helper()
	h, err := pcap.OpenOffline(file)
	if err != nil {
		return nil, false
	}
	defer h.Close()
	for {
		data, ci, err := h.ReadPacketData()
		if err != nil {
			return all, true
		}
		all = append(all, frame{slices.Clone(data), uint32(ci.Length), uint16(h.LinkType())})
	}
}

// tcpdump returns the lines of tcpdump, one for each packet, without the text
// about applications. tcpdump has no option for that, but:
//
//   - -q omits it for UDP, so the lines of UDP packets come from -q;
//   - in TCP lines, all text after the length is about the application;
//   - of several lines for one packet, -# marks the first.
//
// The words differ intentionally in two places: we omit PPPoE headers, and we
// write tcpdump's " ip-proto-N L" as a length with its name.
func tcpdump(t *testing.T, file string, more ...string) []string {
	t.Helper()
	quiet := tcpdumpLines(t, file, append(more, "-q")...)
	lines := tcpdumpLines(t, file, more...)
	if len(lines) != len(quiet) {
		t.Fatalf("%s: tcpdump prints %d lines, with -q %d", file, len(lines), len(quiet))
	}
	for i := range lines {
		if datagrams.MatchString(quiet[i]) && !domain.MatchString(quiet[i]) {
			lines[i] = joined(lines[i], quiet[i])
		}
		for _, c := range changes {
			if strings.Contains(lines[i], c.in) && !(c.in == "Flags [" && domain.MatchString(lines[i])) {
				lines[i] = c.what.ReplaceAllString(lines[i], c.by)
			}
		}
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// joined replaces the end of a line, starting with the addresses and checksum,
// by that of another line, because -q also shortens link headers.
func joined(line, end string) string {
	end = addressed.FindString(end)
	addresses, length, _ := strings.Cut(end, "UDP")
	addresses, _, _ = strings.Cut(addresses, ": ")
	i := strings.Index(line, addresses)
	if i < 0 {
		return end
	}
	i += len(addresses)
	return line[:i] + ": " + summed.FindString(line[i:]) + "UDP" + length
}

// datagrams matches lines of UDP.
var datagrams = regexp.MustCompile(`: (\[[^]]*\] )?UDP, `)

// summed matches the text about a UDP checksum.
var summed = regexp.MustCompile(`\[(no cksum|udp sum ok|bad udp cksum[^]]*)\] `)

// addressed matches a line from the addresses of a datagram on.
var addressed = regexp.MustCompile(`[^ !]+ > \S+: (\[[^]]*\] )?UDP, .*`)

// domain matches lines of packets with a port of DNS.
var domain = regexp.MustCompile(`[. ](53|5353)( >|: (\[[^]]*\] )?(UDP|Flags))`)

// Each change applies only to lines with a certain text, because the search for
// the text is faster.
var changes = []struct {
	in   string
	what *regexp.Regexp
	by   string
}{
	{"PPPoE", regexp.MustCompile(`^PPPoE  \[ses 0x[0-9a-f]+\] `), ""},
	{"Flags [", regexp.MustCompile(`(Flags \[[^]]*\],.*?, length \d+).*`), "$1"},
	{" [remaining", regexp.MustCompile(` \[remaining caplen[^]]*\]`), ""},
	{"unreachable,  ", regexp.MustCompile(`(destination unreachable,)  `), "$1 "},
	{"Unknown", regexp.MustCompile(`(ethertype Unknown .*, length \d+): $`), "$1"},
	{":  ip-proto-", regexp.MustCompile(`:  ip-proto-(\d+) (\d+)$`), ": ip-proto-$1, length $2"},
}

func tcpdumpLines(t *testing.T, file string, more ...string) (lines []string) {
	t.Helper()
	cmd := exec.Command("tcpdump", append([]string{"-#", "-n", "-S", "-t", "-r", file}, more...)...)
	out, err := cmd.Output()
	if len(out) == 0 && err != nil {
		return nil
	}
	for text := range strings.Lines(string(out)) {
		if number := numbered.FindString(text); number != "" {
			lines = append(lines, strings.TrimSuffix(text[len(number):], "\n"))
		} else if slices.Contains(more, "-v") && (strings.HasPrefix(text, "    ") || strings.HasPrefix(text, "\tIP ") || strings.HasPrefix(text, "\t(label ")) {
			lines[len(lines)-1] += "\n" + strings.TrimSuffix(text, "\n")
		}
	}
	return lines
}

// numbered matches the -# prefix on the first line of a packet.
var numbered = regexp.MustCompile(`^ *[0-9]+  `)

// named matches lines of packets that we do not decode; tcpdump may print more
// of them. All other lines must be equal.
var named = regexp.MustCompile(`^link-type|ethertype Unknown|ip-proto-\d+, length|^(..:){5}.. > (..:){5}.., length|` +
	`type-#|for protocol \d+, operation|ARP, Unknown|icmp6 type|unknown unreach code|multicast listener (query|report|done), |unknown-\d+|OPT UDPsize|vlan \d+, p \d,( DEI,)?$`)

// detailed matches lines of packets of which tcpdump -v prints more.
var detailed = regexp.MustCompile(`ICMP6|HBH|DSTOPT|frag \(|options \(`)

// badOption matches lines of packets with invalid or truncated IP options,
// which we do not decode.
var badOption = regexp.MustCompile(`\[\|(hbhopt|dstopt|ip)\]$`)

// A tally counts lines by kind.
type tally map[string]*struct{ compared, equal, named int }

// ours are our options for the comparison. Like us, tcpdump takes interface
// names from the machine that it runs on.
var ours = Options{Interface: func(index uint32) string {
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		return i.Name
	}
	return "?"
}}

// compare compares each line with that of tcpdump.
func (n tally) compare(t *testing.T, name string, all []frame, want []string) {
	t.Helper()
	n.compareWith(t, ours, name, all, want)
}

func (n tally) compareWith(t *testing.T, o Options, name string, all []frame, want []string) {
	t.Helper()
	if len(want) < len(all) {
		t.Errorf("%s: %d lines for %d packets", name, len(want), len(all))
		return
	}
	differ := 0
	for i, f := range all {
		got := strings.TrimRight(string(o.Append(nil, f.data, f.dlt, f.wire)), " ")
		k := kindOf(got)
		if n[k] == nil {
			n[k] = new(struct{ compared, equal, named int })
		}
		switch {
		case got == want[i]:
			n[k].compared++
			n[k].equal++
		case named.MatchString(got), strings.HasPrefix(want[i], "[Invalid header"), strings.Contains(want[i], "802.3"), o.Link && strings.Contains(want[i], "PPPoE"), o.Verbose && detailed.MatchString(want[i]), badOption.MatchString(want[i]):
			n[k].named++
		default:
			n[k].compared++
			if differ++; differ < 10 {
				t.Errorf("%s, packet %d:\nours    %q\ntcpdump %q\n%x", name, i+1, got, want[i], f.data[:min(len(f.data), 150)])
			}
		}
	}
}

// kinds are the kinds of lines, recognized by a text. The first match counts.
var kinds = []struct{ name, text string }{
	{"TCP", "Flags ["}, {"queries", "? "}, {"UDP", ": UDP, "}, {"ICMP", "ICMP "}, {"ICMPv6", "ICMP6,"}, {"ARP", "ARP,"},
	{"fragments", "frag ("}, {"protocols", "ip-proto-"}, {"cut off", "[|"}, {"others", ""},
}

func kindOf(line string) string {
	for _, k := range kinds {
		if strings.Contains(line, k.text) {
			return k.name
		}
	}
	return ""
}

// log prints the sums. At least least lines must have been compared.
func (n tally) log(t *testing.T, least int) {
	t.Helper()
	compared := 0
	for _, k := range kinds {
		if c := n[k.name]; c != nil {
			t.Logf("%-10s %6d compared, %6d equal, %6d only named", k.name, c.compared, c.equal, c.named)
			compared += c.compared
		}
	}
	if compared < least {
		t.Errorf("%d lines compared, want %d", compared, least)
	}
}

func TestTcpdump(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testdata.Dir(t), "*.pcap*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	n := make(tally)
	for _, file := range files {
		if all, ok := frames(t, file); ok {
			n.compare(t, filepath.Base(file), all, tcpdump(t, file))
		}
	}
	n.log(t, 60000)
}

// TestTcpdumpLink compares link headers and VLAN tags.
func TestTcpdumpLink(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testdata.Dir(t), "*.pcap*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	o := ours
	o.Link = true
	n := make(tally)
	for _, file := range files {
		if all, ok := frames(t, file); ok {
			n.compareWith(t, o, filepath.Base(file), all, tcpdump(t, file, "-e"))
		}
	}
	n.log(t, 60000)
}

// TestTcpdumpVerbose compares IP headers and checksums. tcpdump prints more of
// other protocols.
func TestTcpdumpVerbose(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testdata.Dir(t), "*.pcap*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	o := ours
	o.Verbose = true
	n := make(tally)
	for _, file := range files {
		if all, ok := frames(t, file); ok {
			n.compareWith(t, o, filepath.Base(file), all, tcpdump(t, file, "-v"))
		}
	}
	n.log(t, 60000)
}

// TestTcpdumpMutated changes and truncates packets of the captures at random.
func TestTcpdumpMutated(t *testing.T) {
	files := []string{"zk-icmp6-nd.pcap", "zk-icmp-5-pings.pcap", "tr-test.pcap", "mapi-tracefile.pcap", "nd-6in4.pcap",
		"sv-ipv6-dstopts.pcap", "nd-dns-fragmented.pcap", "pc-gateway.pcap", "nd-skype.pcap", "tr-fragroute.pcap"}
	random := rand.New(rand.NewPCG(1, 2))
	var originals []frame
	for _, name := range files {
		all, _ := frames(t, filepath.Join(testdata.Dir(t), name))
		for i, f := range all {
			if f.dlt == 1 && i < 400 && !strings.HasPrefix(string(Append(nil, f.data, f.dlt, f.wire)), "MPLS") {
				originals = append(originals, f)
			}
		}
	}
	n := make(tally)
	var changed []frame
	for range 50000 {
		changed = append(changed, mutate(random, originals[random.IntN(len(originals))]))
	}
	file := filepath.Join(t.TempDir(), "mutated.pcap")
	write(t, file, changed)
	n.compare(t, "mutated", changed, tcpdump(t, file))
	n.log(t, 10000)
}

// TestTcpdumpTagsMutated changes and truncates packets with VLAN tags.
func TestTcpdumpTagsMutated(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var originals, changed []frame
	for _, name := range []string{"lt-vlan.pcap", "tr-vlan8021ad-be.pcap", "zk-q-in-q.pcap", "nd-4in4.pcap"} {
		all, _ := frames(t, filepath.Join(testdata.Dir(t), name))
		originals = append(originals, all...)
	}
	for range 20000 {
		changed = append(changed, mutate(random, originals[random.IntN(len(originals))]))
	}
	n := make(tally)
	file := filepath.Join(t.TempDir(), "mutated.pcap")
	write(t, file, changed)
	o := ours
	o.Link = true
	n.compareWith(t, o, "mutated", changed, tcpdump(t, file, "-e"))
	n.log(t, 5000)
}

// TestTcpdumpICMP has all types and codes, truncated at any length.
func TestTcpdumpICMP(t *testing.T) {
	const (
		head4 = "aaaaaaaaaaaabbbbbbbbbbbb0800 45000000 00000000 40010000 0a000001 0a000002"
		head6 = "aaaaaaaaaaaabbbbbbbbbbbb86dd 60000000 00003a40 fe800000000000000000000000000001 ff020000000000000000000000000002"
		rest4 = "0001 01020304 46000030 00000000 40110000 0a000009 0a000008 01010101 30390035 00100000 0102030405060708 0a000007 0a000006"
		rest6 = "0001 01020304 60000000 00103a40 20010db8000000000000000000000001 20010db8000000000000000000000002 " +
			"30390035 00100000 0102030405060708"
	)
	var all []frame
	for kind := range 256 {
		for code := range 20 {
			for _, c := range []struct{ head, rest string }{{head4, rest4}, {head6, rest6}, {head6, strings.Replace(rest6, "3a40", "1140", 1)}} {
				b := append(unhex(t, c.head), byte(kind), byte(code))
				b = append(b, unhex(t, c.rest)...)
				if c.head == head4 {
					binary.BigEndian.PutUint16(b[16:], uint16(len(b)-14))
				} else {
					binary.BigEndian.PutUint16(b[18:], uint16(len(b)-54))
				}
				all = append(all, frame{b, uint32(len(b)), 1}, frame{b[:30+(kind+code)%(len(b)-30)], uint32(len(b)), 1})
			}
		}
	}
	n := make(tally)
	file := filepath.Join(t.TempDir(), "icmp.pcap")
	write(t, file, all)
	n.compare(t, "icmp", all, tcpdump(t, file))
	n.log(t, 2000)
}

// TestTcpdumpARP has all operations of ARP and RARP.
func TestTcpdumpARP(t *testing.T) {
	var all []frame
	for operation := range 12 {
		for _, kind := range []string{"0806", "8035"} {
			b := unhex(t, "ffffffffffffbbbbbbbbbbbb"+kind+"0001080006040000 bbbbbbbbbbbb0a000001 cccccccccccc0a000002")
			b[21] = byte(operation)
			all = append(all, frame{b, uint32(len(b)), 1}, frame{b[:14+operation], uint32(len(b)), 1})
		}
	}
	file := filepath.Join(t.TempDir(), "arp.pcap")
	write(t, file, all)
	for _, c := range []struct {
		o    Options
		more []string
	}{{ours, nil}, {Options{Link: true}, []string{"-e"}}, {Options{Verbose: true}, []string{"-v"}}} {
		n := make(tally)
		n.compareWith(t, c.o, "arp", all, tcpdump(t, file, c.more...))
		n.log(t, 20)
	}
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mutate returns a changed copy of f, always with a whole link header.
func mutate(random *rand.Rand, f frame) frame {
	const link = 14
	f.data = slices.Clone(f.data)
	for range random.IntN(3) {
		if at := link + random.IntN(80); at < len(f.data) {
			// Versions of tcpdump differ for an IP length of 0, which
			// segmentation offload produces.
			f.data[at] = max(1, byte(random.IntN(256))>>random.IntN(8))
		}
	}
	if random.IntN(2) == 0 {
		f.data = f.data[:min(len(f.data), link+random.IntN(120))]
	}
	return f
}

// write creates a capture file of Ethernet frames.
func write(t *testing.T, file string, all []frame) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(262144, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		ci := gopacket.CaptureInfo{Timestamp: time.Unix(1, 0), CaptureLength: len(p.data), Length: int(p.wire)}
		if err := w.WritePacket(ci, p.data); err != nil {
			t.Fatal(err)
		}
	}
}
