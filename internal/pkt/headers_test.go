package pkt

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Parts of frames, as hexadecimal text with spaces between fields.
const (
	macs   = "001122334455 66778899aabb "
	ip4TCP = "45000030 12340000 40060000 0a000001 0a000002 " // 48 bytes, 8 of payload
	tcp    = "3039 0050 00000001 00000002 5018 2000 0000 0000 "
	ip4UDP = "45000020 12340000 40110000 0a000001 0a000002 " // 32 bytes, 4 of payload
	udp    = "3039 0035 000c 0000 "
	ip6    = "20010db8000000000000000000000001 20010db8000000000000000000000002 "
	data4  = "deadbeef "
	data8  = "deadbeef cafef00d "
)

func frame(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// headersOf is a Headers of an unfragmented packet with ports 12345 and port.
func headersOf(has Has, etherType uint16, proto uint8, port uint16, net, transport, payload, end uint32) Headers {
	h := Headers{Has: has, EtherType: etherType, Proto: proto, SrcPort: 12345, DstPort: port,
		Net: net, Transport: transport, Payload: payload, End: end, WireEnd: end}
	if proto == ProtoTCP {
		h.TCPFlags = TCPAck | TCPPsh
	}
	return h
}

func with(h Headers, change func(*Headers)) Headers {
	change(&h)
	return h
}

const (
	gotTCP4 = HasIPv4 | HasTransport | HasPorts | HasTCP | HasPayload
	gotUDP4 = HasIPv4 | HasTransport | HasPorts | HasPayload
	gotUDP6 = HasIPv6 | HasTransport | HasPorts | HasPayload
)

func tcp4(net uint32) Headers {
	return headersOf(gotTCP4, EtherTypeIPv4, ProtoTCP, 80, net, net+20, net+40, net+48)
}

func udp4(net uint32) Headers {
	return headersOf(gotUDP4, EtherTypeIPv4, ProtoUDP, 53, net, net+20, net+28, net+32)
}

func udp6(net, ext uint32) Headers {
	return headersOf(gotUDP6, EtherTypeIPv6, ProtoUDP, 53, net, net+40+ext, net+48+ext, net+52+ext)
}

// nothing is a frame without network layer from net on.
func nothing(etherType uint16, net, end uint32) Headers {
	return Headers{EtherType: etherType, Net: net, Transport: net, Payload: net, End: end, WireEnd: end}
}

type parseCase struct {
	name     string
	linkType uint16
	frame    string
	want     Headers
}

func runCases(t *testing.T, cases []parseCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got Headers
			Parse(frame(t, c.frame), c.linkType, &got)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("Headers (-want +got):\n%s", d)
			}
		})
	}
}

func TestParseLink(t *testing.T) {
	runCases(t, []parseCase{
		{"Ethernet", DLTEthernet, macs + "0800 " + ip4TCP + tcp + data8, tcp4(14)},
		{"Ethernet padding", DLTEthernet, macs + "0800 " + ip4UDP + udp + data4 + data8, udp4(14)},
		{"Ethernet cut", DLTEthernet, macs + "08", nothing(0, 0, 13)},
		{"Ethernet without payload", DLTEthernet, macs + "0800", nothing(EtherTypeIPv4, 14, 14)},
		{"ARP", DLTEthernet, macs + "0806 " + data8, nothing(EtherTypeARP, 14, 22)},
		{"SNAP", DLTEthernet, macs + "0028 aaaa03 000000 0800 " + ip4UDP + udp + data4, udp4(22)},
		{"SNAP bridged", DLTEthernet, macs + "0028 aaaa03 0000f8 0800 " + ip4UDP + udp + data4, udp4(22)},
		{"SNAP of a company", DLTEthernet, macs + "0028 aaaa03 00000c 0800 " + data8, nothing(0, 14, 30)},
		{"LLC with padding", DLTEthernet, macs + "0003 424203 " + data8, nothing(0, 14, 17)},
		{"neither type nor length", DLTEthernet, macs + "05dd " + data8, nothing(0x05dd, 14, 22)},
		{"SLL", DLTLinuxSLL, "0000 0001 0006 0011223344550000 0800 " + ip4TCP + tcp + data8, tcp4(16)},
		{"SLL LLC", DLTLinuxSLL, "0000 0001 0006 0011223344550000 0004 aaaa03 000000 0800 " + ip4UDP + udp + data4, udp4(24)},
		{"SLL other", DLTLinuxSLL, "0000 0118 0000 0000000000000000 000c " + data8, nothing(0, 16, 24)},
		{"SLL cut", DLTLinuxSLL, "0000 0001 0006 0011223344550000 08", nothing(0, 0, 15)},
		{"SLL2", DLTLinuxSLL2, "0800 0000 00000002 0001 00 06 0011223344550000 " + ip4TCP + tcp + data8, tcp4(20)},
		{"NULL little-endian", DLTNull, "02000000 " + ip4UDP + udp + data4, udp4(4)},
		{"NULL big-endian", DLTNull, "00000002 " + ip4UDP + udp + data4, udp4(4)},
		{"NULL IPv6 of macOS", DLTNull, "1e000000 60000000 000c 11 40 " + ip6 + udp + data4, udp6(4, 0)},
		{"LOOP IPv6 of OpenBSD", DLTLoop, "00000018 60000000 000c 11 40 " + ip6 + udp + data4, udp6(4, 0)},
		{"NULL other family", DLTNull, "07000000 " + data8, nothing(0, 4, 12)},
		{"raw 4", DLTRaw, ip4UDP + udp + data4, udp4(0)},
		{"raw 6", DLTRawFile, "60000000 000c 11 40 " + ip6 + udp + data4, udp6(0, 0)},
		{"raw neither", DLTRaw, "5500", nothing(0, 0, 2)},
		{"raw empty", DLTRaw, "", nothing(0, 0, 0)},
		{"IPv4", DLTIPv4, ip4UDP + udp + data4, udp4(0)},
		{"IPv4 that is IPv6", DLTIPv4, "60000000 000c 11 40 " + ip6, nothing(EtherTypeIPv4, 0, 40)},
		{"IPv6", DLTIPv6, "60000000 000c 11 40 " + ip6 + udp + data4, udp6(0, 0)},
		{"PPP framed", DLTPPP, "ff03 0021 " + ip4UDP + udp + data4, udp4(4)},
		{"PPP bare", DLTPPP, "0021 " + ip4UDP + udp + data4, udp4(2)},
		{"PPP compressed protocol", DLTPPP, "21 " + ip4UDP + udp + data4, udp4(1)},
		{"PPP IPv6", DLTPPPSerial, "ff03 0057 60000000 000c 11 40 " + ip6 + udp + data4, udp6(4, 0)},
		{"PPP control", DLTPPP, "ff03 c021 " + data8, nothing(0, 4, 12)},
		{"Cisco under PPP", DLTPPPSerial, "0f00 0800 " + ip4UDP + udp + data4, udp4(4)},
		{"Cisco HDLC", DLTCHDLC, "0f00 0800 " + ip4UDP + udp + data4, udp4(4)},
		{"unknown link type", 147, macs + "0800 " + data8, nothing(0, 0, 22)},
	})
}

func TestParseTags(t *testing.T) {
	runCases(t, []parseCase{
		{"VLAN", DLTEthernet, macs + "8100 6064 0800 " + ip4TCP + tcp + data8,
			with(tcp4(18), func(h *Headers) { h.VLANs = 1; h.TCI[0] = 0x6064 })},
		{"QinQ", DLTEthernet, macs + "88a8 0001 8100 0002 0800 " + ip4TCP + tcp + data8,
			with(tcp4(22), func(h *Headers) { h.VLANs = 2; h.TCI = [4]uint16{1, 2} })},
		{"five tags", DLTEthernet, macs + "9100 0001 9100 0002 8100 0003 8100 0004 8100 0005 0800 " + ip4TCP + tcp + data8,
			with(tcp4(34), func(h *Headers) { h.VLANs = 5; h.TCI = [4]uint16{1, 2, 3, 4} })},
		{"too many tags", DLTEthernet, macs + "8100 " + strings.Repeat("0001 8100 ", 20),
			with(nothing(EtherTypeVLAN, 14+64, 14+80), func(h *Headers) { h.VLANs = 16; h.TCI = [4]uint16{1, 1, 1, 1} })},
		{"cut tag", DLTEthernet, macs + "8100 0064 08", nothing(EtherTypeVLAN, 14, 17)},
		{"VLAN with SNAP", DLTEthernet, macs + "8100 0064 0028 aaaa03 000000 0800 " + ip4UDP + udp + data4,
			with(udp4(26), func(h *Headers) { h.VLANs = 1; h.TCI[0] = 100 })},
		{"MPLS", DLTEthernet, macs + "8847 00010140 " + ip4UDP + udp + data4,
			with(udp4(18), func(h *Headers) { h.Labels = 1; h.Label = 16 })},
		{"MPLS stack and IPv6", DLTEthernet, macs + "8848 fffff040 00011140 60000000 000c 11 40 " + ip6 + udp + data4,
			with(udp6(22, 0), func(h *Headers) { h.Labels = 2; h.Label = 0xfffff })},
		{"MPLS pseudowire", DLTEthernet, macs + "8847 00010140 00000000 " + data8,
			with(nothing(0, 18, 30), func(h *Headers) { h.Labels = 1; h.Label = 16 })},
		{"MPLS without bottom", DLTEthernet, macs + "8847 " + strings.Repeat("00010040 ", 20),
			with(nothing(EtherTypeMPLS, 14+64, 14+80), func(h *Headers) { h.Labels = 16; h.Label = 16 })},
		{"MPLS over PPP", DLTPPP, "ff03 0281 00010140 " + ip4UDP + udp + data4,
			with(udp4(8), func(h *Headers) { h.Labels = 1; h.Label = 16 })},
		{"PPPoE with padding", DLTEthernet, macs + "8864 11 00 0001 0022 0021 " + ip4UDP + udp + data4 + data8, udp4(22)},
		{"PPPoE bounds what IP tells", DLTEthernet, macs + "8864 11 00 0001 001e 0021 " + ip4UDP + udp + data4,
			with(udp4(22), func(h *Headers) { h.End -= 4 })},
		{"PPPoE code", DLTEthernet, macs + "8864 11 09 0001 0022 0021 " + data8, nothing(EtherTypePPPoE, 14, 30)},
	})
}
