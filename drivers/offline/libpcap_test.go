package offline

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/pcap"

	"gomapi/internal/pkt"
	"gomapi/internal/testdata"
)

// A reference is what libpcap reads from a file.
type reference struct {
	linkType uint8 // gopacket keeps eight bits
	snap     int
	pkts     []pkt.Packet // without time
	times    []time.Time
	openErr  error
	err      error // that ended the read
}

func libpcap(path string) reference {
	h, err := pcap.OpenOffline(path)
	if err != nil {
		return reference{openErr: err}
	}
	defer h.Close()
	ref := reference{linkType: uint8(h.LinkType()), snap: h.SnapLen()}
	for {
		data, ci, err := h.ReadPacketData()
		if err == io.EOF {
			return ref
		}
		if err != nil {
			ref.err = err
			return ref
		}
		ref.times = append(ref.times, ci.Timestamp)
		ref.pkts = append(ref.pkts, pkt.Packet{
			Link: data,
			Wire: uint32(ci.Length),
		})
	}
}

// sameTime compares a timestamp with libpcap's time of the packet. A time after
// 2106 is the last possible timestamp. libpcap treats seconds and fractions in
// the host's byte order as signed, in the other order as unsigned; so do we.
func sameTime(ts uint64, ref time.Time) bool {
	if ts == math.MaxUint64 {
		return ref.Unix() > math.MaxUint32
	}
	switch pkt.Time(ts).Sub(ref) {
	case 0, 1 << 32, 1 << 32 * time.Microsecond, 1 << 32 * time.Second,
		1<<32*time.Second + 1<<32, 1<<32*time.Second + 1<<32*time.Microsecond:
		return true
	}
	return false
}

// agree checks that we read path like libpcap: packets, times, lengths, and
// whether the file can be opened and read without error.
func agree(t *testing.T, path string) {
	t.Helper()
	ref := libpcap(path)
	pkts, info, err := read(t, path)
	if err != nil {
		mustCode(t, err)
	}
	if ref.openErr != nil {
		if err == nil || len(pkts) > 0 {
			t.Errorf("libpcap refuses it (%v), we read %d packets, error %v", ref.openErr, len(pkts), err)
		}
		return
	}
	if (ref.err != nil) != (err != nil) {
		t.Errorf("libpcap's error is %v, ours %v", ref.err, err)
	}
	if err == nil && uint8(info.LinkType) != ref.linkType {
		t.Errorf("link type %d, libpcap says %d", info.LinkType, ref.linkType)
	}
	if len(pkts) != len(ref.pkts) {
		t.Fatalf("%d packets, libpcap reads %d (%v, %v)", len(pkts), len(ref.pkts), err, ref.err)
	}
	samePackets(t, ref, pkts)
}

func samePackets(t *testing.T, ref reference, pkts []pkt.Packet) {
	t.Helper()
	for i, p := range pkts {
		want := ref.pkts[i]
		if !bytes.Equal(p.Link, want.Link) || p.Wire != want.Wire || !sameTime(p.TS, ref.times[i]) {
			t.Fatalf("packet %d: time %v, %d of %d bytes; libpcap has %v, %d of %d", i,
				pkt.Time(p.TS), len(p.Link), p.Wire, ref.times[i], len(want.Link), want.Wire)
		}
	}
}

// TestLibpcapCorpus compares every capture that libpcap reads, byte by byte.
func TestLibpcapCorpus(t *testing.T) {
	dir := testdata.Dir(t)
	for name, want := range corpus(t) {
		if strings.Contains(name, ".erf") || strings.Contains(want[[2]string{"error", "tcpdump"}], "different from the type") {
			continue // libpcap reads neither ERF nor mixed link types
		}
		if name == "pc-bad-linktype.pcap" {
			continue // libpcap before 1.11 ignores the reserved bits
		}
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			if strings.HasSuffix(name, ".gz") {
				agreeZipped(t, path)
				return
			}
			agree(t, path)
		})
	}
}

// unzipped returns path, or the path of an uncompressed copy.
func unzipped(t *testing.T, path string) string {
	if !strings.HasSuffix(path, ".gz") {
		return path
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return save(t, b)
}

func agreeZipped(t *testing.T, path string) {
	plain := unzipped(t, path)
	agree(t, plain)
	a, _, errA := read(t, plain)
	b, _, errB := read(t, path)
	if errA != nil || errB != nil || len(a) != len(b) {
		t.Fatalf("%d packets plain, %d from gzip (%v, %v)", len(a), len(b), errA, errB)
	}
	for i := range a {
		if !bytes.Equal(a[i].Link, b[i].Link) || a[i].TS != b[i].TS {
			t.Fatalf("packet %d differs", i)
		}
	}
}

// TestLibpcapHeads checks that every magic, version, byte order and snapshot
// length is read or rejected like by libpcap.
func TestLibpcapHeads(t *testing.T) {
	for _, order := range []func() *writer{le, be} {
		for _, magic := range []uint32{0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34, 0xa1b234cd, 0xa12b3c4d} {
			for _, v := range [][2]uint16{{1, 2}, {2, 0}, {2, 2}, {2, 3}, {2, 4}, {2, 5}, {3, 0}, {543, 0}, {543, 1}} {
				for _, snap := range []uint32{0, 20, 60, 262144, 1<<31 - 1, 1 << 31} {
					w := order().pcapHead(magic, v[0], v[1], snap, 1)
					lyingRecords(w, magic == 0xa1b2cd34)
					agree(t, save(t, w.Bytes()))
				}
			}
		}
	}
}

// lyingRecords adds records whose two lengths differ in both directions. The
// last record has an absurd length.
func lyingRecords(w *writer, long bool) {
	for _, l := range [][2]uint32{{60, 60}, {40, 1500}, {1500, 40}, {0, 0}, {100, 100}, {300000, 400000}} {
		w.u32(1700000000, 123456, l[0], l[1])
		if long {
			w.u64(0)
		}
		w.Write(frame(1500, int(l[0]))[:min(1500, int(l[0]))])
	}
}

// TestLibpcapLinkTypes checks the DLT of every link type number.
func TestLibpcapLinkTypes(t *testing.T) {
	for n := range uint32(512) {
		agree(t, save(t, le().pcapHead(0xa1b2c3d4, 2, 4, 65535, n).record(1, 2, frame(60, 0)).Bytes()))
		ng := le().section()
		agree(t, save(t, ng.iface(uint16(n), 65535).enhanced(0, 1e15, 60, frame(60, 0)).Bytes()))
	}
}

// TestLibpcapLimits checks captured lengths around the maximum of a link type.
func TestLibpcapLimits(t *testing.T) {
	for _, link := range []uint32{1, dltUSBPcap, dltDBus, dltEBHSCR} {
		for _, snap := range []uint32{64, 262144, 1 << 30} {
			for _, n := range []int{262143, 262144, 262145, 1 << 20, 1<<20 + 1} {
				if n > 262144 && snap > 262144 && link != 1 {
					continue // we truncate to drivers.MaxSnap
				}
				w := le().pcapHead(0xa1b2c3d4, 2, 4, snap, link)
				agree(t, save(t, w.record(1, 1, frame(n, 3)).record(2, 2, frame(60, 4)).Bytes()))
			}
		}
	}
}

// TestLibpcapPcapng checks blocks that libpcap reads or rejects.
func TestLibpcapPcapng(t *testing.T) {
	for _, order := range []func() *writer{le, be} {
		for name, w := range pcapngCases(order) {
			t.Run(fmt.Sprintf("%s-%v", name, w.order), func(t *testing.T) {
				agree(t, save(t, w.Bytes()))
			})
		}
	}
}

// TestLibpcapResolutions checks times of every resolution that nanoseconds can
// represent. libpcap rounds finer ones down to nanoseconds and overflows with
// small powers of two; TestTime covers those.
func TestLibpcapResolutions(t *testing.T) {
	for _, res := range []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x80, 0x81, 0x85, 0x88, 0x89} {
		w := le().section()
		w.iface(1, 0, w.opt(optResolution, res))
		for _, ticks := range []uint64{0, 1, 5, 1 << 20, 1<<31 - 1, 1<<32 - 1} {
			w.enhanced(0, ticks, 60, frame(60, 0))
		}
		agree(t, save(t, w.Bytes()))
	}
}
