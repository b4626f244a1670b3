package pkt

import (
	"strings"
	"testing"
)

var linkTypes = []uint16{DLTNull, DLTEthernet, DLTPPP, DLTRaw, DLTPPPSerial, DLTRawFile, DLTCHDLC,
	DLTLoop, DLTLinuxSLL, DLTIPv4, DLTIPv6, DLTLinuxSLL2, 147}

// samples are frames that reach every part of the parser.
func samples(t testing.TB) [][]byte {
	var list [][]byte
	for _, text := range []string{
		macs + "0800 " + ip4TCP + tcp + data8,
		macs + "88a8 0001 8100 0002 0800 " + ip4TCP + tcp + data8,
		macs + "8864 11 00 0001 0022 0021 " + ip4UDP + udp + data4 + data8,
		macs + "8847 00010040 00011140 60000000 000c 11 40 " + ip6 + udp + data4,
		macs + "0028 aaaa03 000000 0800 " + ip4UDP + udp + data4,
		macs + "8100 " + strings.Repeat("0001 8100 ", 20),
		macs + "86dd 60000000 0030 00 40 " + ip6 + "3c 00 000000000000 33 00 000000000000 " +
			"2c 01 0000 00000001 00000001 11 00 0001 00000007 " + udp + data4,
		macs + "0800 4700003c 12340000 40330000 0a000001 0a000002 01010101 01010100 1101 0000 00000001 00000001 " + udp + data4,
		macs + "0800 45000028 12340000 40210000 0a000001 0a000002 3039 0035 04 00 0000 05000000 00000000 " + data4,
		"ff03 0281 00010140 " + ip4UDP + udp + data4,
		"0000 0001 0006 0011223344550000 0800 " + ip4TCP + tcp + data8,
		"0800 0000 00000002 0001 00 06 0011223344550000 " + ip4TCP + tcp + data8,
		"1e000000 60000000 000c 11 40 " + ip6 + udp + data4,
	} {
		list = append(list, frame(t, text))
	}
	return list
}

// checkBounds checks what Headers guarantees for every frame.
func checkBounds(t *testing.T, link []byte, linkType uint16) {
	var h, again Headers
	Parse(link, linkType, &h)
	again = Headers{Has: 0xff, VLANs: 9, End: 1 << 31, TCI: [MaxTCI]uint16{1, 2, 3, 4}}
	Parse(link, linkType, &again)
	if h != again {
		t.Fatalf("link type %d: two runs differ:\n%+v\n%+v", linkType, h, again)
	}
	if h.Net > h.Transport || h.Transport > h.Payload || h.Payload > h.End || int(h.End) > len(link) || h.End > h.WireEnd {
		t.Fatalf("link type %d, %d bytes: offsets out of order: %+v", linkType, len(link), h)
	}
	if h.Has&(HasIPv4|HasIPv6) == 0 && h.Has != 0 || h.Has&HasFragment == 0 && (h.FragOffset != 0 || h.Has&MoreFragments != 0) {
		t.Fatalf("link type %d: bits contradict each other: %+v", linkType, h)
	}
	if int(h.VLANs)+int(h.Labels) > maxTags {
		t.Fatalf("link type %d: %d tags and %d labels", linkType, h.VLANs, h.Labels)
	}
	useViews(&h, link)
}

// useViews reads the last byte that every view guarantees.
func useViews(h *Headers, link []byte) {
	if ip := h.IPv4(link); ip != nil {
		_, _ = ip.Dst(), ip.Options()
	}
	if ip := h.IPv6(link); ip != nil {
		_ = ip.Dst()
	}
	if s := h.TCP(link); s != nil {
		_, _ = s.Checksum(), s.Options()
	}
	if d := h.UDP(link); d != nil {
		_ = d.Checksum()
	}
}

// TestPrefixes truncates every sample, and a frame of each kind of real
// traffic, at every length.
func TestPrefixes(t *testing.T) {
	list := samples(t)
	for _, c := range captures(t) {
		c.each(t, func(n int, link []byte) {
			if n <= 3 {
				list = append(list, append([]byte(nil), link[:min(len(link), 200)]...))
			}
		})
	}
	for _, s := range list {
		for n := range len(s) + 1 {
			for _, lt := range linkTypes {
				checkBounds(t, s[:n:n], lt)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range samples(f) {
		for _, lt := range linkTypes {
			f.Add(s, lt)
		}
	}
	f.Fuzz(func(t *testing.T, link []byte, linkType uint16) {
		checkBounds(t, link, linkType)
		var h Headers
		ParseNet(link, int(linkType), EtherTypeIPv6, &h)
	})
}

func TestParseDoesNotAllocate(t *testing.T) {
	list := samples(t)
	var h Headers
	if n := testing.AllocsPerRun(100, func() {
		for _, s := range list {
			for _, lt := range linkTypes {
				Parse(s, lt, &h)
				useViews(&h, s)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ name, frame string }{
		{"IPv4-TCP", macs + "0800 " + ip4TCP + tcp + data8},
		{"IPv4-UDP", macs + "0800 " + ip4UDP + udp + data4},
		{"IPv6-UDP", macs + "86dd 60000000 000c 11 40 " + ip6 + udp + data4},
		{"QinQ-IPv4-TCP", macs + "88a8 0001 8100 0002 0800 " + ip4TCP + tcp + data8},
		{"MPLS-IPv4-UDP", macs + "8847 00010140 " + ip4UDP + udp + data4},
	} {
		b.Run(c.name, func(b *testing.B) {
			link := frame(b, c.frame)
			b.ReportAllocs()
			var h Headers
			for b.Loop() {
				Parse(link, DLTEthernet, &h)
			}
		})
	}
}
