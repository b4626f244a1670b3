package stdflib

import (
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/google/gopacket/pcap"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
	"gomapi/internal/testdata"
)

// capture reads the packets of a real capture with libpcap.
func capture(t testing.TB, name string) []*flib.Packet {
	t.Helper()
	h, err := pcap.OpenOffline(filepath.Join(testdata.Dir(t), name))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	var pkts []*flib.Packet
	for {
		data, info, err := h.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return pkts
		}
		if err != nil {
			t.Fatal(err)
		}
		pkts = append(pkts, &flib.Packet{
			TS: pkt.FromTime(info.Timestamp), Link: data, Wire: uint32(info.Length), LinkType: uint16(h.LinkType()),
		})
	}
}

// hostile makes packets that are nearly TCP, UDP, ICMP or ARP, of all lengths, on
// Ethernet, Cisco HDLC and an unknown link type.
func hostile(r *rand.Rand, n int) []*flib.Packet {
	pkts := make([]*flib.Packet, n)
	for i := range pkts {
		p := &flib.Packet{TS: r.Uint64(), Wire: r.Uint32N(2000), LinkType: [...]uint16{1, 1, 1, 1, 1, 104, 104, 228}[r.IntN(8)]}
		b := make([]byte, r.IntN(120))
		for j := range b {
			b[j] = byte(r.Uint32())
		}
		head := map[uint16]int{1: 14, 104: 4}[p.LinkType]
		if len(b) > head+34 && r.IntN(8) > 0 && head > 0 {
			copy(b[head-2:], [...]string{"\x08\x00", "\x08\x00", "\x08\x00", "\x08\x06", "\x80\x35", "\x81\x00"}[r.IntN(6)])
			b[head] = 0x40 | byte(r.IntN(16))
			b[head+2], b[head+3] = 0, byte(r.IntN(130))
			b[head+6] &= 0xe0
			b[head+7] = byte(r.IntN(8) / 7)
			b[head+9] = [...]byte{6, 6, 17, 1, 47}[r.IntN(5)]
		}
		p.Link = b[:len(b):len(b)]
		pkts[i] = p
	}
	return pkts
}

// A refusal is a list of arguments and the number of the resulting error.
type refusal struct {
	args []any
	want mapierr.Code
}

// refused fails unless the function refuses each of the lists.
func refused(t *testing.T, w *flibtest.World, name string, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		_, err := w.Apply(Library(), name, c.args...)
		if got := mapierr.CodeOf(err, 0); got != c.want {
			t.Errorf("%s%v gives %v (%d), want error %d", name, c.args, err, int(got), int(c.want))
		}
	}
}

// perPacket measures Process with lists of n packets.
func perPacket(b *testing.B, f flib.Function, pkts []*flib.Packet, n int) {
	b.ReportAllocs()
	packets, at := 0, 0
	for b.Loop() {
		f.Process(pkts[at : at+n])
		packets += n
		if at += n; at+n > len(pkts) {
			at = 0
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
}
