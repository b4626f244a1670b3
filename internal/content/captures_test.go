package content

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/gopacket/pcap"

	"gomapi/internal/pkt"
	"gomapi/internal/testdata"
)

// known are strings that occur in captures.
var known = []string{"HTTP/1.1", "GET ", "POST ", "User-Agent: ", "\r\n\r\n", "\x00\x00\x00\x00", "\x00\x00", "\x45\x00",
	"\x08\x00\x45", "www", "e", "SSH-2.0", "\x16\x03\x01", "INVITE sip:", "\xff\xff\xff\xff\xff\xff"}

// asked are the strings that tshark searches for.
var asked = []string{"HTTP/1.1", "\x00\x00\x00\x00", "\x08\x00\x45"}

// load reads up to limit packets of a capture with libpcap; nil if libpcap
// cannot read it.
func load(t testing.TB, path string, limit int) (pkts []*pkt.Packet) {
	h, err := pcap.OpenOffline(path)
	if err != nil {
		return nil
	}
	defer h.Close()
	for len(pkts) < limit {
		link, ci, err := h.ReadPacketData()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil
		}
		pkts = append(pkts, &pkt.Packet{Link: link, Wire: uint32(ci.Length)})
	}
	return pkts
}

// files lists the complete captures with their number of packets.
func files(t testing.TB) map[string]int {
	list := map[string]int{}
	for _, r := range testdata.Expected(t) {
		if r.Kind == "total" && r.Key == "packets" && !strings.HasSuffix(r.File, ".gz") && !strings.HasSuffix(r.File, ".erf") {
			list[r.File], _ = strconv.Atoi(r.Value)
		}
	}
	return list
}

// TestCaptures searches for parts of real packets, and for frequent strings.
func TestCaptures(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	read := 0
	for name := range files(t) {
		pkts := load(t, filepath.Join(testdata.Dir(t), name), 1000)
		if len(pkts) == 0 {
			continue
		}
		read++
		var patterns []*Pattern
		for _, k := range known {
			patterns = append(patterns, &Pattern{Strings: [][]byte{[]byte(k)}})
		}
		for range 40 {
			patterns = append(patterns, piece(r, pkts))
		}
		t.Run(name, func(t *testing.T) { compare(t, patterns, pkts) })
	}
	if read < 40 {
		t.Errorf("%d captures were read, want 40", read)
	}
}

// piece returns a pattern with parts of packets, usually with a window around
// one.
func piece(r *rand.Rand, pkts []*pkt.Packet) *Pattern {
	p := &Pattern{}
	for range 1 + r.IntN(2) {
		link := pkts[r.IntN(len(pkts))].Link
		if len(link) == 0 {
			link = []byte{0}
		}
		at := r.IntN(len(link))
		s := link[at:min(len(link), at+1+r.IntN(40))]
		p.Strings = append(p.Strings, s)
		switch r.IntN(4) {
		case 0:
			p.Offset, p.Depth = at, len(s)
		case 1:
			p.Offset = r.IntN(at + 2)
		case 2:
			p.Depth = 1 + at + r.IntN(2*len(s))
		}
	}
	return p
}

// TestAgainstTshark compares the number of packets that contain a string.
func TestAgainstTshark(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("needs tshark")
	}
	var patterns []*Pattern
	for _, k := range asked {
		patterns = append(patterns, &Pattern{Strings: [][]byte{[]byte(k)}})
	}
	d, s := open(t, patterns)
	compared := 0
	for name, packets := range files(t) {
		path := filepath.Join(testdata.Dir(t), name)
		pkts := load(t, path, packets)
		if packets < 400 || packets > 3000 || len(pkts) != packets {
			continue
		}
		compared++
		got := make([]int, len(asked))
		for _, h := range all(t, d, s, pkts, len(asked)) {
			got[h.Pattern]++
		}
		if want := contains(t, tshark, path); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: packets with %q: %v, tshark says %v", name, asked, got, want)
		}
	}
	if compared < 4 {
		t.Errorf("%d captures were compared, want 4", compared)
	}
}

// contains asks tshark how many frames of a file contain each string.
func contains(t *testing.T, tshark, path string) (counts []int) {
	t.Helper()
	for _, k := range asked {
		filter := fmt.Sprintf("frame contains %s", strings.ReplaceAll(fmt.Sprintf("% x", k), " ", ":"))
		out, err := exec.Command(tshark, "-n", "-r", path, "-Y", filter, "-T", "fields", "-e", "frame.number").Output()
		if err != nil {
			t.Fatal(err)
		}
		counts = append(counts, bytes.Count(out, []byte("\n")))
	}
	return counts
}
