package stdflib

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/mapierr"
	"gomapi/mapi/result"
)

// hashOf finds the hash of a packet by trying ranges. It returns -1 if the packet passes
// none.
func hashOf(t *testing.T, p *flib.Packet) int {
	t.Helper()
	f := &hashSampler{}
	for h := range hashRange {
		f.limit = uint32(h + 1)
		if len(f.Process([]*flib.Packet{p})) == 1 {
			return h
		}
	}
	return -1
}

func TestHashSampOfRealPackets(t *testing.T) {
	for i, p := range capture(t, "mapi-www.pcap") {
		want := []int{778, 772, 778, 778, 211, 772, 293, 772, 778, 772}[i]
		if h := hashOf(t, p); h != want {
			t.Errorf("packet %d has hash %d, want %d", i, h, want)
		}
	}
	pkts := capture(t, "mapi-tracefile.pcap")
	for limit, want := range map[int64]int{1: 0, 102: 126, 128: 141, 256: 273, 512: 372, 768: 558, 1024: 706} {
		if n := len(flibtest.New(t, Library(), "HASHSAMP", limit, int64(0)).Process(pkts...)); n != want {
			t.Errorf("range %d passes %d packets, want %d", limit, n, want)
		}
	}
}

func TestSegmentHashOfZeros(t *testing.T) {
	s := segment{data: make([]byte, 4)}
	if h := s.hash(); h != 530 {
		t.Errorf("hash is %d, want 530", h)
	}
}

// plainFlowHash computes with 64 bits and cuts to 32 after each step.
func plainFlowHash(saddr, daddr, sport, dport uint32, proto byte) uint32 {
	cut := func(x int64) int64 { return int64(int32(x)) }
	a := cut(int64(saddr) + 0x9e3779b9)
	b := cut(int64(daddr^uint32(proto)) + 0x9e3779b9)
	c := cut(int64(sport|dport<<16) + 6564987)
	for _, s := range [][3]uint{{13, 8, 13}, {12, 16, 5}, {3, 10, 15}} {
		a = cut(cut(a-b-c) ^ (c >> s[0]))
		b = cut(cut(b-c-a) ^ cut(a<<s[1]))
		c = cut(cut(c-a-b) ^ (b >> s[2]))
	}
	return uint32(c) % 1024
}

// modelSample computes a packet's sample and hash from gopacket's headers. It reports
// false if the packet has none.
func modelSample(p *flib.Packet) (s result.HashSample, hash uint32, ok bool) {
	net := p.Link
	switch {
	case p.LinkType == 1 && len(net) > 14 && net[12] == 8 && net[13] == 0:
		net = net[14:]
	case p.LinkType == 104 && len(net) > 4 && net[2] == 8 && net[3] == 0:
		net = net[4:]
	default:
		return s, 0, false
	}
	if len(net) < 20 || (net[6]<<3|net[7]) != 0 {
		return s, 0, false
	}
	ihl := int(net[0]&15) * 4
	if s.Proto = net[9]; (s.Proto != 6 && s.Proto != 17) || len(net) < ihl+4 {
		return s, 0, false
	}
	s.TS, s.Src, s.Dst = p.TS, [4]byte(net[12:]), [4]byte(net[16:])
	segment := net[ihl:]
	s.SrcPort, s.DstPort = binary.BigEndian.Uint16(segment), binary.BigEndian.Uint16(segment[2:])
	if s.Proto == 6 && len(segment) >= 20 {
		whole := slices.Clone(segment)
		whole[12] = 0x50 // options may be cut off
		var tcp layers.TCP
		if err := tcp.DecodeFromBytes(whole, gopacket.NilDecodeFeedback); err == nil {
			s.Seq = tcp.Seq
			for i, set := range []bool{tcp.SYN, tcp.ACK, tcp.RST, tcp.FIN, tcp.PSH} {
				if set {
					s.Flags |= 1 << i
				}
			}
		}
	}
	raw := binary.LittleEndian
	hash = plainFlowHash(raw.Uint32(net[12:]), raw.Uint32(net[16:]), uint32(raw.Uint16(segment)), uint32(raw.Uint16(segment[2:])), s.Proto)
	return s, hash, true
}

// TestHashSampOfRandomPackets compares the packets that pass, and their samples.
func TestHashSampOfRandomPackets(t *testing.T) {
	pkts := hostile(rand.New(rand.NewPCG(11, 12)), 20000)
	for _, limit := range []uint32{1, 100, 512, 1023, 1024} {
		b := flibtest.New(t, Library(), "HASHSAMP", int64(limit), int64(-7))
		total := 0
		for list := range slices.Chunk(pkts, 256) {
			var want []*flib.Packet
			var samples []result.HashSample
			for _, p := range list {
				if s, h, ok := modelSample(p); ok && h < limit {
					want, samples = append(want, p), append(samples, s)
				}
			}
			if got := b.Process(list...); !slices.Equal(got, want) {
				t.Fatalf("range %d: %d packets pass, want %d", limit, len(got), len(want))
			}
			for i, e := range b.Entries() {
				if s, ok := result.ParseHashSample(e); !ok || s != samples[i] {
					t.Fatalf("range %d: sample %+v, %v, want %+v", limit, s, ok, samples[i])
				}
			}
			total += len(want)
		}
		if limit == 1024 && total < 2000 {
			t.Errorf("only %d packets could pass", total)
		}
	}
}

// TestHashSampDropsWhatHasNoPorts truncates a packet byte by byte and then damages it.
func TestHashSampDropsWhatHasNoPorts(t *testing.T) {
	b := flibtest.New(t, Library(), "HASHSAMP", int64(1024), int64(1))
	whole := frame(6, 60)
	for n := range whole.Link {
		p := *whole
		p.Link = whole.Link[:n:n]
		if got, want := len(b.Process(&p)), n >= 14+20+4; (got == 1) != want {
			t.Errorf("%d packets of %d captured bytes pass", got, n)
		}
	}
	for name, spoil := range map[string]func(p *flib.Packet){
		"link type":      func(p *flib.Packet) { p.LinkType = 113 },
		"VLAN tag":       func(p *flib.Packet) { p.Link[12] = 0x81 },
		"IPv6":           func(p *flib.Packet) { p.Link[12], p.Link[13] = 0x86, 0xdd },
		"ICMP":           func(p *flib.Packet) { p.Link[23] = 1 },
		"later fragment": func(p *flib.Packet) { p.Link[21] = 1 },
		"options":        func(p *flib.Packet) { p.Link[14] = 0x4f; p.Link = p.Link[:14+60+3] },
	} {
		p := frame(17, 100)
		p.Link = append(p.Link, make([]byte, 40)...)
		if len(b.Process(p)) != 1 {
			t.Fatal("the packet itself does not pass")
		}
		if spoil(p); len(b.Process(p)) != 0 {
			t.Errorf("%s: passes", name)
		}
	}
	first := frame(17, 100)
	first.Link[20] = 0x20 // more fragments
	if len(b.Process(first)) != 1 {
		t.Error("a first fragment does not pass")
	}
}

// TestSamplesOfASlowReader: a slow reader gets the newest samples.
func TestSamplesOfASlowReader(t *testing.T) {
	b := flibtest.New(t, Library(), "HASHSAMP", int64(1024), int64(1))
	const all = 5000
	for i := range uint64(all) {
		p := frame(17, 60)
		p.TS = i
		b.Process(p)
	}
	entries := b.Entries()
	if len(entries) < maxSamples {
		t.Errorf("%d samples are left, want %d at least", len(entries), maxSamples)
	}
	for i, e := range entries {
		if s, _ := result.ParseHashSample(e); s.TS != uint64(all-len(entries)+i) {
			t.Fatalf("sample %d of %d is of packet %d", i, len(entries), s.TS)
		}
	}
	b.Function.(flib.Finisher).End()
	if e := b.Entries(); len(e) != 0 {
		t.Errorf("%d more at the end", len(e))
	}
}

func TestHashSampKeepsOnlyWhenAsked(t *testing.T) {
	if b := flibtest.New(t, Library(), "HASHSAMP", int64(1024), int64(0)); b.Ring != nil {
		t.Error("a filter has a series")
	}
	if b := flibtest.New(t, Library(), "HASHSAMP", int64(1024), int64(2)); b.Ring == nil {
		t.Error("no series")
	}
}

func TestHashSampArguments(t *testing.T) {
	refused(t, flibtest.NewWorld(t), "HASHSAMP", []refusal{
		{nil, mapierr.InvalidArgument1},
		{[]any{"1", int64(0)}, mapierr.InvalidArgument1},
		{[]any{int64(0), int64(0)}, mapierr.InvalidArgument1},
		{[]any{int64(-1), int64(0)}, mapierr.InvalidArgument1},
		{[]any{int64(1025), int64(0)}, mapierr.InvalidArgument1},
		{[]any{int64(anyHeaders), int64(0)}, mapierr.InvalidArgument1},
		{[]any{int64(anyHeaders + 1025), int64(0)}, mapierr.InvalidArgument1},
		{[]any{int64(2 * anyHeaders), int64(0)}, mapierr.InvalidArgument1},
		{[]any{int64(1)}, mapierr.InvalidArgument2},
		{[]any{int64(1), "0"}, mapierr.InvalidArgument2},
		{[]any{int64(1), int64(0), int64(0)}, mapierr.InvalidArgument3},
	})
}

func TestHashSampDoesNotAllocate(t *testing.T) {
	pkts := hostile(rand.New(rand.NewPCG(13, 14)), 64)
	for keep := range int64(2) {
		b := flibtest.New(t, Library(), "HASHSAMP", int64(1024), keep)
		if n := testing.AllocsPerRun(1000, func() { b.Function.Process(pkts) }); n != 0 {
			t.Errorf("keep %d: %v allocations per batch", keep, n)
		}
	}
}

func BenchmarkHashSamp(b *testing.B) {
	pkts := capture(b, "mapi-tracefile.pcap")
	for name, args := range map[string][]any{
		"filter": {int64(512), int64(0)}, "keep": {int64(512), int64(1)}, "keep all": {int64(1024), int64(1)},
	} {
		b.Run(name, func(b *testing.B) {
			perPacket(b, flibtest.New(b, Library(), "HASHSAMP", args...).Function, pkts, 256)
		})
	}
}
