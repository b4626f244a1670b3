package stdflib

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/mapi/result"
)

// tagged returns p with an additional header after the Ethernet header.
func tagged(p *flib.Packet, etherType string, header ...byte) *flib.Packet {
	q := *p
	q.Link = slices.Concat(p.Link[:12], []byte(etherType), header, p.Link[14:])
	return &q
}

// TestAnyHeaders adds tags to the packets of a capture. With any headers they have the
// hashes and samples of the packets without tags, otherwise none.
func TestAnyHeaders(t *testing.T) {
	for name, tag := range map[string]func(p *flib.Packet) *flib.Packet{
		"as it is": func(p *flib.Packet) *flib.Packet { return p },
		"802.1Q":   func(p *flib.Packet) *flib.Packet { return tagged(p, "\x81\x00", 0, 7, p.Link[12], p.Link[13]) },
		"QinQ": func(p *flib.Packet) *flib.Packet {
			return tagged(p, "\x88\xa8", 0, 7, 0x81, 0, 0, 8, p.Link[12], p.Link[13])
		},
		"MPLS": func(p *flib.Packet) *flib.Packet { return tagged(p, "\x88\x47", 0, 0x10, 0x01, 64) },
		"cooked": func(p *flib.Packet) *flib.Packet {
			return &flib.Packet{TS: p.TS, LinkType: 113, Link: slices.Concat(make([]byte, 14), p.Link[12:])}
		},
	} {
		t.Run(name, func(t *testing.T) {
			compared := 0
			for i, p := range capture(t, "mapi-tracefile.pcap") {
				want, ok := segmentOf(p)
				if !ok {
					continue
				}
				q := tag(p)
				got, ok := anySegmentOf(q)
				if !ok || got.hash() != want.hash() || got.sample(p.TS) != want.sample(p.TS) {
					t.Fatalf("packet %d: %+v, %v, want %+v", i, got, ok, want)
				}
				for layer := int32(2); layer <= maxLayer; layer++ {
					if !slices.Equal(anyLayerBytes(q, layer), layerBytes(p, layer)) {
						t.Fatalf("packet %d: other bytes in layer %d", i, layer)
					}
				}
				if _, ok := segmentOf(q); ok != (name == "as it is") {
					t.Fatalf("packet %d is read as the original would not", i)
				}
				compared++
			}
			if compared != 706 {
				t.Errorf("%d packets were compared", compared)
			}
		})
	}
}

// TestAnyHeadersOfIPv6 compares with gopacket.
func TestAnyHeadersOfIPv6(t *testing.T) {
	fold := func(ip []byte) (w [4]byte) {
		for i, b := range ip {
			w[i%4] ^= b
		}
		return w
	}
	pkts := capture(t, "nd-http-ipv6.pcap")
	b := flibtest.New(t, Library(), "HASHSAMP", int64(anyHeaders+1024), int64(1))
	h := flibtest.New(t, Library(), "HASH", int64(anyHeaders+3))
	compared := 0
	for i, p := range pkts {
		decoded := gopacket.NewPacket(p.Link, layers.LayerTypeEthernet, gopacket.Default)
		tcp, _ := decoded.Layer(layers.LayerTypeTCP).(*layers.TCP)
		ip, _ := decoded.Layer(layers.LayerTypeIPv6).(*layers.IPv6)
		passed := len(b.Process(p)) == 1
		entries := b.Entries()
		if ip == nil || tcp == nil {
			continue
		}
		h.Process(p)
		if got, _ := result.ParseHash(h.Result()); uint32(got) != plainHash(tcp.Payload) {
			t.Errorf("packet %d: hash %d, want %d", i, got, plainHash(tcp.Payload))
		}
		want := result.HashSample{TS: p.TS, IPv6: true, Src: fold(ip.SrcIP), Dst: fold(ip.DstIP), Proto: 6,
			SrcPort: uint16(tcp.SrcPort), DstPort: uint16(tcp.DstPort), Seq: tcp.Seq, Flags: sampleFlags(tcp.Contents[13])}
		if !passed || len(entries) != 1 {
			t.Fatalf("packet %d: passed %v with %d samples", i, passed, len(entries))
		}
		if got, _ := result.ParseHashSample(entries[0]); got != want {
			t.Errorf("packet %d: %+v, want %+v", i, got, want)
		}
		raw := binary.LittleEndian
		hash := plainFlowHash(raw.Uint32(want.Src[:]), raw.Uint32(want.Dst[:]),
			uint32(raw.Uint16(tcp.Contents)), uint32(raw.Uint16(tcp.Contents[2:])), 6)
		if s, _ := anySegmentOf(p); s.hash() != hash {
			t.Errorf("packet %d: hash %d, want %d", i, s.hash(), hash)
		}
		compared++
	}
	if compared < 50 {
		t.Errorf("only %d packets were compared", compared)
	}
}

func TestAnyHeadersDoNotAllocate(t *testing.T) {
	pkts := capture(t, "nd-http-ipv6.pcap")[:64]
	for name, args := range map[string][]any{"HASH": {int64(anyHeaders + 3)}, "HASHSAMP": {int64(anyHeaders + 1024), int64(1)}} {
		b := flibtest.New(t, Library(), name, args...)
		if n := testing.AllocsPerRun(1000, func() { b.Function.Process(pkts) }); n != 0 {
			t.Errorf("%s: %v allocations per batch", name, n)
		}
	}
}

func BenchmarkAnyHeaders(b *testing.B) {
	pkts := capture(b, "mapi-tracefile.pcap")
	b.Run("HASH", func(b *testing.B) {
		perPacket(b, flibtest.New(b, Library(), "HASH", int64(anyHeaders+3)).Function, pkts, 1)
	})
	b.Run("HASHSAMP", func(b *testing.B) {
		perPacket(b, flibtest.New(b, Library(), "HASHSAMP", int64(anyHeaders+512), int64(0)).Function, pkts, 256)
	})
}
