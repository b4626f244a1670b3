package stdflib

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/internal/mapierr"
	"gomapi/mapi/result"
)

// hashes returns the results of HASH for the packets, one by one.
func hashes(t *testing.T, layer int64, pkts []*flib.Packet) (out []uint32) {
	t.Helper()
	b := flibtest.New(t, Library(), "HASH", layer)
	for _, p := range pkts {
		if passed := b.Process(p); len(passed) != 1 || passed[0] != p {
			t.Fatal("packet was held back")
		}
		h, ok := result.ParseHash(b.Result())
		if !ok {
			t.Fatal("result is too short")
		}
		out = append(out, uint32(h))
	}
	return out
}

// plainHash computes the hash of bytes by its definition.
func plainHash(b []byte) uint32 {
	h := uint32(len(b))
	for _, c := range b {
		h += uint32(c)
	}
	return h % 500009
}

// TestHashOfRealPackets compares with numbers that follow from the original's rules.
func TestHashOfRealPackets(t *testing.T) {
	for _, c := range []struct {
		file  string
		index int
		want  []uint32 // by layer
	}{
		{"mapi-tracefile.pcap", 0, []uint32{3140, 1758}},
		{"mapi-tracefile.pcap", 92, []uint32{4439, 3590}},
		{"mapi-tracefile.pcap", 886, []uint32{4025, 3176}},
		{"mapi-www.pcap", 0, []uint32{4088, 3239, 1689, 0}},
		{"mapi-www.pcap", 1, []uint32{4752, 3496, 1944, 0}},
		{"mapi-www.pcap", 2, []uint32{4343, 3494, 1944, 0}},
		{"mapi-www.pcap", 3, []uint32{8643, 7794, 6244, 4024}},
		{"mapi-www.pcap", 7, []uint32{7602, 6346, 4541, 2580}},
	} {
		p := capture(t, c.file)[c.index : c.index+1]
		for layer, want := range c.want {
			if h := hashes(t, int64(layer), p)[0]; h != want {
				t.Errorf("%s, packet %d, layer %d: %d, want %d", c.file, c.index, layer, h, want)
			}
		}
	}
}

// modelBytes returns the number of bytes and the bytes according to the table of the
// reference. It uses all lengths as they are, and cuts to the captured bytes only at the
// end.
func modelBytes(p *flib.Packet, layer int) []byte {
	at := func(i int) int {
		if i < len(p.Link) {
			return int(p.Link[i])
		}
		return 0
	}
	slice := func(from, n int) []byte {
		var out []byte
		for i := range max(0, n) {
			if from+i < len(p.Link) {
				out = append(out, p.Link[from+i])
			}
		}
		return out
	}
	caplen := len(p.Link)
	if layer == 0 {
		return slice(0, caplen)
	}
	net, known := map[uint16]int{1: 14, 104: 4}[p.LinkType]
	if !known || caplen < net {
		return nil
	}
	if layer == 1 {
		return slice(net, caplen-net)
	}
	etherType := at(net-2)<<8 | at(net-1)
	if layer == 2 && (etherType == 0x0806 || etherType == 0x8035) {
		return slice(net+8, caplen-net-8)
	}
	if etherType != 0x0800 || caplen < net+20 {
		return nil
	}
	ihl, total := at(net)%16*4, at(net+2)<<8|at(net+3)
	if layer == 2 {
		return slice(net+ihl, total-ihl)
	}
	switch at(net + 9) {
	case 6:
		header := at(net+ihl+12) / 16 * 4
		if caplen < net+ihl+20 || total < ihl+20 {
			return nil
		}
		return slice(net+ihl+header, total-ihl-header)
	case 17, 1:
		return slice(net+ihl+8, total-ihl-8)
	}
	return nil
}

func TestHashOfRandomPackets(t *testing.T) {
	pkts := hostile(rand.New(rand.NewPCG(3, 4)), 20000)
	for layer := range 4 {
		some := 0
		for i, h := range hashes(t, int64(layer), pkts) {
			b := modelBytes(pkts[i], layer)
			if want := plainHash(b); h != want {
				t.Fatalf("layer %d: %d, want %d of %d bytes: link type %d, % x", layer, h, want, len(b), pkts[i].LinkType, pkts[i].Link)
			}
			some += len(b)
		}
		if some < 20000 {
			t.Errorf("layer %d: only %d bytes were hashed", layer, some)
		}
	}
}

// TestHashOfLaterFragment: layer 3 leaves out the place of a header, as in the original.
// With any headers there is no layer 3.
func TestHashOfLaterFragment(t *testing.T) {
	p := &flib.Packet{Link: make([]byte, 14+20+48), Wire: 82, LinkType: flibtest.EN10MB}
	copy(p.Link[12:], []byte{8, 0, 0x45, 0, 0, 68, 0, 1, 0, 7, 64, 17}) // UDP, 56 bytes in
	for i := range 48 {
		p.Link[34+i] = byte(64 + i)
	}
	for layer, want := range map[int64]uint32{2: plainHash(p.Link[34:]), 3: plainHash(p.Link[42:]), anyHeaders + 2: plainHash(p.Link[34:]), anyHeaders + 3: 0} {
		if h := hashes(t, layer, []*flib.Packet{p})[0]; h != want {
			t.Errorf("layer %d: %d, want %d", layer, h, want)
		}
	}
}

// TestHashIsOfTheLastPacket passes lists, whose last packet counts.
func TestHashIsOfTheLastPacket(t *testing.T) {
	pkts := hostile(rand.New(rand.NewPCG(5, 6)), 1000)
	single := hashes(t, 1, pkts)
	for _, n := range []int{2, 7, 256} {
		b := flibtest.New(t, Library(), "HASH", int64(1))
		seen := 0
		for list := range slices.Chunk(pkts, n) {
			b.Process(list...)
			seen += len(list)
			if h, _ := result.ParseHash(b.Result()); uint32(h) != single[seen-1] {
				t.Fatalf("after %d packets in lists of %d: %d, want %d", seen, n, h, single[seen-1])
			}
		}
	}
}

func TestByteSum(t *testing.T) {
	b := slices.Repeat([]byte{0xff}, 70000)
	for _, n := range []int{0, 1, 7, 8, 9, 15, 16, 1023, 1024, 1025, 1032, 4096, 65535, 70000} {
		for _, from := range []int{0, 1, 3} {
			if from <= n {
				if sum := byteSum(b[from:n]); sum != uint32(255*(n-from)) {
					t.Errorf("%d bytes of 255 sum up to %d", n-from, sum)
				}
			}
		}
	}
	r := rand.New(rand.NewPCG(7, 8))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	want := uint32(0)
	for n, c := range b[:5000] {
		if sum := byteSum(b[:n]); sum != want {
			t.Fatalf("%d bytes sum up to %d, want %d", n, sum, want)
		}
		want += uint32(c)
	}
}

func TestHashArguments(t *testing.T) {
	refused(t, flibtest.NewWorld(t), "HASH", []refusal{
		{nil, mapierr.InvalidArgument1},
		{[]any{"1"}, mapierr.InvalidArgument1},
		{[]any{int64(-1)}, mapierr.InvalidArgument1},
		{[]any{int64(4)}, mapierr.InvalidArgument1},
		{[]any{int64(anyHeaders - 1)}, mapierr.InvalidArgument1},
		{[]any{int64(anyHeaders + 4)}, mapierr.InvalidArgument1},
		{[]any{int64(1 << 30)}, mapierr.InvalidArgument1},
		{[]any{int64(0), int64(0)}, mapierr.InvalidArgument2},
	})
}

func TestHashDoesNotAllocate(t *testing.T) {
	pkts := hostile(rand.New(rand.NewPCG(9, 10)), 64)
	for layer := range int64(4) {
		b := flibtest.New(t, Library(), "HASH", layer)
		if n := testing.AllocsPerRun(1000, func() { b.Function.Process(pkts) }); n != 0 {
			t.Errorf("layer %d: %v allocations per batch", layer, n)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	for _, size := range []int{60, 1514} {
		link := make([]byte, size)
		link[12], link[14], link[23], link[46] = 8, 0x45, 6, 0x50
		binary.BigEndian.PutUint16(link[16:], uint16(size-14))
		pkts := []*flib.Packet{{Link: link, Wire: uint32(size), LinkType: flibtest.EN10MB}}
		for _, layer := range []int64{0, 3} {
			b.Run(fmt.Sprintf("bytes=%d/layer=%d", size, layer), func(b *testing.B) {
				perPacket(b, flibtest.New(b, Library(), "HASH", layer).Function, pkts, 1)
			})
		}
	}
}
