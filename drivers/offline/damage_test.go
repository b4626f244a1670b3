package offline

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gomapi/drivers"
	"gomapi/internal/testdata"
)

// TestCutPcap reads every prefix of a small file.
func TestCutPcap(t *testing.T) {
	for _, head := range []struct {
		magic uint32
		size  int
	}{{0xa1b2c3d4, recHead}, {0xa1b2cd34, recHeadLong}} {
		w := be().pcapHead(head.magic, 2, 4, 100, 1)
		borders := []int{w.Len()}
		for i := range 4 {
			w.u32(1, 2, uint32(20*i), 80)
			w.Write(make([]byte, head.size-recHead+20*i))
			borders = append(borders, w.Len())
		}
		cutEverywhere(t, w.Bytes(), borders, borders[0])
	}
}

// TestCutPcapng reads every prefix of a file with blocks of every kind.
func TestCutPcapng(t *testing.T) {
	w := le()
	var borders []int
	mark := func(*writer) { borders = append(borders, -w.Len()) }
	packet := func(*writer) { borders = append(borders, w.Len()) }
	mark(w.section())
	mark(w.iface(1, 100))
	opened := w.Len()
	packet(w.enhanced(0, 1, 60, frame(33, 1)))
	mark(w.block(5, frame(20, 2)))
	packet(w.simple(60, frame(60, 3)))
	w.order = binary.BigEndian
	mark(w.section())
	mark(w.iface(1, 100))
	packet(w.obsolete(0, 1, 60, frame(10, 4)))
	cutEverywhere(t, w.Bytes(), borders, opened)
}

// cutEverywhere checks every prefix of file. borders are the ends of records; a
// negative one ends a record that is not a packet. Prefixes shorter than opened
// may fail to open.
func cutEverywhere(t *testing.T, file []byte, borders []int, opened int) {
	t.Helper()
	for n := range len(file) + 1 {
		packets, last := 0, 0
		for i, b := range borders {
			if max(b, -b) > n {
				break
			}
			last = max(b, -b)
			if b > 0 && last > borders[0] && i > 0 {
				packets++
			}
		}
		pkts, _, err := readBytes(t, file[:n])
		where := fmt.Sprintf("offset %d is truncated: the file ends after %d bytes", last, n-last)
		switch {
		case n < opened && err == nil && n != last, n < opened && len(pkts) > 0:
			t.Errorf("%d bytes: opened", n)
		case n < opened:
		case len(pkts) != packets:
			t.Errorf("%d bytes: %d packets, want %d", n, len(pkts), packets)
		case n == last && err != nil:
			t.Errorf("%d bytes end at a border: %v", n, err)
		case n != last && (err == nil || !strings.Contains(err.Error(), where)):
			t.Errorf("%d bytes: error %v, want %q", n, err, where)
		}
	}
}

// TestCutGzip checks that all packets before the cut are delivered, and that
// the error names the compressed data as cut, not the capture.
func TestCutGzip(t *testing.T) {
	path := filepath.Join(testdata.Dir(t), "lt-ip-in-mpls.pcap.gz")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole, _, err := readBytes(t, b)
	if err != nil {
		t.Fatal(err)
	}
	pkts, _, err := readBytes(t, b[:len(b)/2])
	mustCode(t, err)
	if err == nil || !strings.Contains(err.Error(), "gzip") || !strings.Contains(err.Error(), "of the uncompressed data") {
		t.Errorf("error %v", err)
	}
	if len(pkts) < len(whole)/3 || len(pkts) >= len(whole) {
		t.Errorf("%d of %d packets", len(pkts), len(whole))
	}
	for i, p := range pkts {
		if !bytes.Equal(p.Link, whole[i].Link) {
			t.Fatalf("packet %d differs", i)
		}
	}
}

func TestGzipMembers(t *testing.T) {
	w := le().pcapHead(0xa1b2c3d4, 2, 4, 100, 1).record(1, 2, frame(50, 0)).record(3, 4, frame(60, 1))
	pkts, _, err := readBytes(t, zip(t, w.Bytes()[:30], w.Bytes()[30:70], nil, w.Bytes()[70:]))
	if err != nil || len(pkts) != 2 {
		t.Errorf("%d packets, %v", len(pkts), err)
	}
}

// TestDamageOffset checks that the error has the offset of the damaged record.
func TestDamageOffset(t *testing.T) {
	w := le().pcapHead(0xa1b2c3d4, 2, 4, 100, 1)
	for i := range 3000 {
		w.record(1, 2, frame(i%100, i))
	}
	at := w.Len()
	w.u32(1, 2, 1<<20, 1<<20)
	for _, file := range [][]byte{w.Bytes(), zip(t, w.Bytes())} {
		pkts, _, err := readBytes(t, file)
		mustCode(t, err)
		if len(pkts) != 3000 || err == nil || !strings.Contains(err.Error(), fmt.Sprintf("byte offset %d", at)) {
			t.Errorf("%d packets, %v; want the offset %d", len(pkts), err, at)
		}
	}
}

// A truncater truncates the file while it is read.
type truncater struct {
	collector
	path string
	t    *testing.T
}

func (s *truncater) Batch(pkts []drivers.Packet) {
	if s.batches == 0 {
		if err := os.Truncate(s.path, 30); err != nil {
			s.t.Error(err)
		}
	}
	s.collector.Batch(pkts)
}

func TestFileShrinks(t *testing.T) {
	w := le().pcapHead(0xa1b2c3d4, 2, 4, 1500, 1)
	for i := range 1000 {
		w.record(1, 2, frame(1000, i))
	}
	path := save(t, w.Bytes())
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	dev, err := Driver{}.OpenFile(t.Context(), own(f))
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	sink := &truncater{path: path, t: t}
	err = dev.Run(t.Context(), sink)
	if err == nil || !strings.Contains(err.Error(), "truncated") || len(sink.pkts) != (windowSize-pcapFileHead)/1016 {
		t.Errorf("%d packets, %v", len(sink.pkts), err)
	}
}
