package pkt

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket/pcap"

	"gomapi/internal/testdata"
)

// encapsulations are the link types by their names in capinfos. gopacket keeps
// only eight bits of a link type, so capinfos is the source.
var encapsulations = map[string]uint16{
	"null": DLTNull, "ether": DLTEthernet, "ppp": DLTPPP, "rawip": DLTRaw, "rawip6": DLTIPv6,
	"linux-sll": DLTLinuxSLL, "linux-sll2": DLTLinuxSLL2,
}

// A capture is a file of one link type that libpcap can read.
type capture struct {
	name, path string
	linkType   uint16
	want       map[string]string // keyed by "kind key" of expected.tsv
}

// captures lists the complete files of the data set, decompressed.
func captures(t testing.TB) []capture {
	dir := testdata.Dir(t)
	byName := map[string]map[string]string{}
	var names []string
	for _, r := range testdata.Expected(t) {
		if byName[r.File] == nil {
			byName[r.File] = map[string]string{}
			names = append(names, r.File)
		}
		byName[r.File][r.Kind+" "+r.Key] = r.Value
	}
	var list []capture
	for _, name := range names {
		want := byName[name]
		linkType, ok := encapsulations[want["file encapsulation"]]
		if !ok || want["file status"] != "ok" {
			continue
		}
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, ".gz") {
			path = unpack(t, path)
		}
		list = append(list, capture{name, path, linkType, want})
	}
	if len(list) < 50 {
		t.Fatalf("only %d captures in %s", len(list), dir)
	}
	return list
}

func unpack(t testing.TB, path string) string {
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(path), ".gz")))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, z); err != nil {
		t.Fatal(err)
	}
	return out.Name()
}

// each calls f with every frame of the capture, counted from 1 like in tshark.
// The bytes are valid until f returns.
func (c capture) each(t testing.TB, f func(number int, link []byte)) {
	h, err := pcap.OpenOffline(c.path)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for n := 1; ; n++ {
		link, _, err := h.ZeroCopyReadPacketData()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: frame %d: %v", c.name, n, err)
		}
		f(n, link[:len(link):len(link)])
	}
}
