package tracegen

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestSameBytesEverywhere checks the checksums of the file: measurements are
// only comparable while the file is the same. A change of the mix changes the
// checksums and invalidates older measurements.
func TestSameBytesEverywhere(t *testing.T) {
	for _, c := range []struct {
		packets int
		seed    uint64
		want    string
	}{
		{0, 1, "acc530668c8bc60b2d229281130b1899bfc81d70fdada5c34b3236c628f739c8"},
		{5000, 1, "742b4accde942cd1af53b16cd182ff14286115fa145d81e8010e0503b2accb89"},
		{5000, 2, "d80d83c2fb1690cc3419452808c72e8349b1b0ec9e70d4e904cae755e0b8f7c1"},
	} {
		h := sha256.New()
		if _, err := Write(h, c.packets, c.seed); err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != c.want {
			t.Errorf("%d packets, seed %d: SHA-256 %s, want %s", c.packets, c.seed, got, c.want)
		}
	}
}

// counter counts the bytes written to it.
type counter uint64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// benchSum is the SHA-256 of the benchmark's file, as in docs/bench.md.
const benchSum = "1456271334fc31e951eaf0d384e1b7ce1536c2486589abdcc3c995687fc5a69b"

func TestBenchFile(t *testing.T) {
	var size counter
	h := sha256.New()
	sum, err := Write(io.MultiWriter(&size, h), BenchPackets, 1)
	if err != nil {
		t.Fatal(err)
	}
	if uint64(size) != sum.FileSize || sum.Packets != BenchPackets {
		t.Errorf("%d bytes written, summary %+v", size, sum)
	}
	if mean := float64(sum.Bytes) / BenchPackets; math.Abs(mean-617) > 6.17 {
		t.Errorf("mean length %.1f bytes, want 617 within 1 %%", mean)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != benchSum {
		t.Errorf("SHA-256 %s, want %s", got, benchSum)
	}
	share := func(what string, n uint64, lo, hi float64) {
		if p := 100 * float64(n) / BenchPackets; p < lo || p > hi {
			t.Errorf("%s: %.1f %% of the packets, want %g to %g", what, p, lo, hi)
		}
	}
	share("TCP", sum.TCP, 60, 75)
	share("UDP", sum.UDP, 22, 36)
	share("ICMP", sum.ICMP, 1, 5)
	share("ARP", sum.ARP, 0.5, 1.5)
	share("IPv6", sum.IPv6, 10, 20)
	share("VLAN", sum.VLAN, 7, 13)
}

// write creates a file and returns its path and the summary of Write.
func write(t *testing.T, packets int) (string, Summary) {
	path := filepath.Join(t.TempDir(), "bench.pcap")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum, err := Write(f, packets, 1)
	if err != nil {
		t.Fatal(err)
	}
	return path, sum
}

// run returns the standard output of a tool.
func run(t *testing.T, name string, args ...string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs %s", name)
	}
	out, err := exec.Command(path, args...).Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return string(out)
}

func TestAgainstTcpdump(t *testing.T) {
	path, sum := write(t, 20000)
	for _, c := range []struct {
		filter string
		want   uint64
	}{
		{"", sum.Packets},
		{"vlan", sum.VLAN},
		{"arp", sum.ARP},
		{"ip or (vlan and ip)", sum.IPv4},
		{"ip6 or (vlan and ip6)", sum.IPv6},
		{"tcp or (vlan and tcp)", sum.TCP},
		{"udp or (vlan and udp)", sum.UDP},
		{"icmp or icmp6 or (vlan and (icmp or icmp6))", sum.ICMP},
	} {
		words := strings.Fields(run(t, "tcpdump", "-r", path, "--count", c.filter))
		if len(words) == 0 || words[0] != strconv.FormatUint(c.want, 10) {
			t.Errorf("tcpdump counts %v for %q, want %d", words, c.filter, c.want)
		}
	}
}

func TestAgainstCapinfos(t *testing.T) {
	path, sum := write(t, 20000)
	// Machine-readable: packets, file size, data size, duration, order.
	out := run(t, "capinfos", "-T", "-r", "-M", "-c", "-s", "-d", "-u", "-o", path)
	got := strings.Split(strings.TrimSpace(out), "\t")[1:]
	want := []string{strconv.FormatUint(sum.Packets, 10), strconv.FormatUint(sum.FileSize, 10),
		strconv.FormatUint(sum.Bytes, 10), strconv.FormatFloat(sum.Duration.Seconds(), 'f', 6, 64), "True"}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("capinfos %q, want %q", got, want)
	}
}

// statusOf is tshark's field for the checksum verdict of each protocol.
var statusOf = map[string]string{"1": "icmp.checksum.status", "6": "tcp.checksum.status",
	"17": "udp.checksum.status", "58": "icmpv6.checksum.status"}

// TestAgainstTshark verifies every checksum, and the sequence numbers of
// connections that start in the file. It checks outermost headers only, because
// tshark interprets the noise after them arbitrarily.
func TestAgainstTshark(t *testing.T) {
	path, sum := write(t, 20000)
	fields := []string{"ip.checksum.status", "ip.proto", "ipv6.nxt", "icmp.checksum.status", "tcp.checksum.status",
		"udp.checksum.status", "icmpv6.checksum.status", "tcp.analysis.lost_segment", "tcp.analysis.retransmission"}
	args := []string{"-n", "-r", path, "-T", "fields", "-E", "occurrence=f", "-o", "ip.check_checksum:TRUE",
		"-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "tcp.desegment_tcp_streams:FALSE"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	var ip, transport uint64
	for i, line := range strings.Split(strings.TrimSuffix(run(t, "tshark", args...), "\n"), "\n") {
		row := map[string]string{}
		for j, v := range strings.Split(line, "\t") {
			row[fields[j]] = v
		}
		if row["tcp.analysis.lost_segment"]+row["tcp.analysis.retransmission"] != "" {
			t.Errorf("packet %d is out of order in its connection: %q", i+1, line)
		}
		if row["ip.checksum.status"] == "1" {
			ip++
		}
		if row[statusOf[row["ip.proto"]+row["ipv6.nxt"]]] == "1" {
			transport++
		}
	}
	if ip != sum.IPv4 || transport != sum.TCP+sum.UDP+sum.ICMP {
		t.Errorf("tshark finds %d and %d good checksums of IPv4 and transport, want all of %+v", ip, transport, sum)
	}
}

// failing is a disk that becomes full.
type failing struct{ room int }

var errFull = errors.New("disk full")

func (f *failing) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestErrors(t *testing.T) {
	for _, room := range []int{0, 3 << 20} {
		if _, err := Write(&failing{room}, 20000, 1); !errors.Is(err, errFull) {
			t.Errorf("room for %d bytes: error %v, want %v", room, err, errFull)
		}
	}
	if _, err := Write(io.Discard, -1, 1); err == nil {
		t.Error("a negative number of packets is accepted")
	}
}

func TestPacketDoesNotAllocate(t *testing.T) {
	g := newGenerator(1)
	if n := testing.AllocsPerRun(10000, func() { g.packet() }); n != 0 {
		t.Errorf("%v allocations a packet, want 0", n)
	}
}

func BenchmarkWrite(b *testing.B) {
	sum, _ := Write(io.Discard, 50000, 1)
	b.SetBytes(int64(sum.FileSize))
	for b.Loop() {
		if _, err := Write(io.Discard, 50000, 1); err != nil {
			b.Fatal(err)
		}
	}
}
