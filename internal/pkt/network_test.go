package pkt

import "testing"

func TestParseIPv4(t *testing.T) {
	const bare = "3039 0035 000c 0000 deadbeef "
	runCases(t, []parseCase{
		{"options", DLTIPv4, "47000028 12340000 40110000 0a000001 0a000002 01010101 01010100 " + bare,
			headersOf(gotUDP4, EtherTypeIPv4, ProtoUDP, 53, 0, 28, 36, 40)},
		{"options cut", DLTIPv4, "4f000050 12340000 40110000 0a000001 0a000002 01010101",
			Headers{Has: HasIPv4, EtherType: EtherTypeIPv4, Proto: ProtoUDP, Transport: 24, Payload: 24, End: 24, WireEnd: 80}},
		{"header length below five", DLTIPv4, "44000020 12340000 40110000 0a000001 0a000002 " + bare, nothing(EtherTypeIPv4, 0, 32)},
		{"total below header", DLTIPv4, "46000014 12340000 40110000 0a000001 0a000002 01010101", nothing(EtherTypeIPv4, 0, 24)},
		{"total zero", DLTIPv4, "45000000 12340000 40110000 0a000001 0a000002 " + bare, udp4(0)},
		{"cut payload", DLTIPv4, "45000400 12340000 40060000 0a000001 0a000002 " + tcp + data4,
			with(tcp4(0), func(h *Headers) { h.End, h.WireEnd = 44, 1024 })},
		{"first fragment", DLTIPv4, "45000020 12342000 40110000 0a000001 0a000002 3039 0035 0400 0000 " + data4,
			with(udp4(0), func(h *Headers) { h.Has |= HasFragment | MoreFragments; h.FragID = 0x1234 })},
		{"later fragment", DLTIPv4, "45000020 12340002 40110000 0a000001 0a000002 " + bare,
			Headers{Has: HasIPv4 | HasFragment, EtherType: EtherTypeIPv4, Proto: ProtoUDP, FragID: 0x1234, FragOffset: 16,
				Transport: 20, Payload: 20, End: 32, WireEnd: 32}},
		{"AH", DLTIPv4, "4500002c 12340000 40330000 0a000001 0a000002 1101 0000 00000001 00000001 " + bare,
			headersOf(gotUDP4, EtherTypeIPv4, ProtoUDP, 53, 0, 32, 40, 44)},
		{"AH cut", DLTIPv4, "4500002c 12340000 40330000 0a000001 0a000002 1101 0000 00000001",
			Headers{Has: HasIPv4 | HasTransport, EtherType: EtherTypeIPv4, Proto: ProtoAH, Transport: 20, Payload: 20, End: 28, WireEnd: 44}},
		{"ICMP", DLTIPv4, "4500001c 12340000 40010000 0a000001 0a000002 0800 0000 00010001",
			Headers{Has: HasIPv4 | HasTransport, EtherType: EtherTypeIPv4, Proto: ProtoICMP, Transport: 20, Payload: 20, End: 28, WireEnd: 28}},
		{"IP in IP", DLTIPv4, "45000034 12340000 40040000 0a000001 0a000002 " + ip4UDP + bare,
			Headers{Has: HasIPv4 | HasTransport, EtherType: EtherTypeIPv4, Proto: 4, Transport: 20, Payload: 20, End: 52, WireEnd: 52}},
	})
}

func TestParseIPv6(t *testing.T) {
	const bare = "3039 0035 000c 0000 deadbeef "
	runCases(t, []parseCase{
		{"every extension", DLTIPv6, "60000000 005c 00 40 " + ip6 +
			"2b 00 000000000000 " + // hop by hop
			"3c 01 0000000000000000000000000000 " + // routing, 16 bytes
			"87 00 000000000000 " + // destination options
			"8b 00 000000000000 " + // mobility
			"8c 00 000000000000 " + // HIP
			"33 00 000000000000 " + // shim6
			"2c 02 0000 00000001 00000001 00000000 " + // AH, 16 bytes
			"11 00 0000 00000007 " + // fragment header of a whole packet
			bare, udp6(0, 80)},
		{"first fragment", DLTIPv6, "60000000 0014 2c 40 " + ip6 + "11 00 0001 00000007 3039 0035 0400 0000 " + data4,
			with(udp6(0, 8), func(h *Headers) { h.Has |= HasFragment | MoreFragments; h.FragID = 7 })},
		{"later fragment", DLTIPv6, "60000000 0014 2c 40 " + ip6 + "3c 00 0011 00000007 " + bare,
			Headers{Has: HasIPv6 | HasFragment | MoreFragments, EtherType: EtherTypeIPv6, Proto: ProtoDestOpts, FragID: 7, FragOffset: 16,
				Transport: 48, Payload: 48, End: 60, WireEnd: 60}},
		{"extension beyond the end", DLTIPv6, "60000000 0010 3c 40 " + ip6 + "11 05 000000000000 " + data8,
			Headers{Has: HasIPv6, EtherType: EtherTypeIPv6, Proto: ProtoDestOpts, Transport: 40, Payload: 40, End: 56, WireEnd: 56}},
		{"nothing follows, padded", DLTIPv6, "60000000 0000 3b 40 " + ip6 + data8,
			Headers{Has: HasIPv6 | HasTransport, EtherType: EtherTypeIPv6, Proto: ProtoNone, Transport: 40, Payload: 40, End: 40, WireEnd: 40}},
		{"length zero", DLTIPv6, "60000000 0000 11 40 " + ip6 + bare, udp6(0, 0)},
		{"cut header", DLTIPv6, "60000000 0000 11 40 20010db8", nothing(EtherTypeIPv6, 0, 12)},
		{"ESP", DLTIPv6, "60000000 0008 32 40 " + ip6 + data8,
			Headers{Has: HasIPv6 | HasTransport, EtherType: EtherTypeIPv6, Proto: ProtoESP, Transport: 40, Payload: 40, End: 48, WireEnd: 48}},
	})
}

func TestParseTransport(t *testing.T) {
	ip4 := func(proto, length string) string {
		return "450000" + length + " 12340000 40" + proto + "0000 0a000001 0a000002 "
	}
	at := func(proto uint8, has Has, payload, end uint32) Headers {
		return headersOf(HasIPv4|HasTransport|has, EtherTypeIPv4, proto, 53, 0, 20, payload, end)
	}
	ports := "3039 0035 "
	noFlags := func(h *Headers) { h.TCPFlags = 0 }
	noPorts := func(h *Headers) { h.SrcPort, h.DstPort = 0, 0 }
	runCases(t, []parseCase{
		{"TCP options", DLTIPv4, ip4("06", "30") + ports + "00000001 00000002 6018 2000 0000 0000 01010100 " + data4,
			at(ProtoTCP, HasPorts|HasTCP|HasPayload, 44, 48)},
		{"TCP options cut", DLTIPv4, ip4("06", "28") + ports + "00000001 00000002 f018 2000 0000 0000 ", at(ProtoTCP, HasPorts|HasTCP, 40, 40)},
		{"TCP header length below five", DLTIPv4, ip4("06", "2c") + ports + "00000001 00000002 4018 2000 0000 0000 " + data4,
			at(ProtoTCP, HasPorts|HasTCP, 44, 44)},
		{"TCP ports only", DLTIPv4, ip4("06", "18") + ports, with(at(ProtoTCP, HasPorts, 24, 24), noFlags)},
		{"TCP three bytes", DLTIPv4, ip4("06", "17") + "303900", with(with(at(ProtoTCP, 0, 23, 23), noPorts), noFlags)},
		{"UDP ends before IP", DLTIPv4, ip4("11", "24") + ports + "000a 0000 " + data8, at(ProtoUDP, HasPorts|HasPayload, 28, 30)},
		{"UDP length zero", DLTIPv4, ip4("11", "24") + ports + "0000 0000 " + data8, at(ProtoUDP, HasPorts|HasPayload, 28, 36)},
		{"UDP length below eight", DLTIPv4, ip4("11", "24") + ports + "0007 0000 " + data8, at(ProtoUDP, HasPorts, 36, 36)},
		{"UDP-Lite coverage", DLTIPv4, ip4("88", "24") + ports + "0008 0000 " + data8, at(ProtoUDPLite, HasPorts|HasPayload, 28, 36)},
		{"SCTP", DLTIPv4, ip4("84", "28") + ports + "00000000 00000000 " + data8, at(ProtoSCTP, HasPorts|HasPayload, 32, 40)},
		{"DCCP", DLTIPv4, ip4("21", "2c") + ports + "04 00 0000 05000000 00000000 " + data8, at(ProtoDCCP, HasPorts|HasPayload, 36, 44)},
		{"DCCP offset below header", DLTIPv4, ip4("21", "28") + ports + "02 00 0000 05000000 " + data8, at(ProtoDCCP, HasPorts, 40, 40)},
	})
}

func TestParseNet(t *testing.T) {
	b := frame(t, "45000034 12340000 40040000 0a000001 0a000002 "+ip4UDP+udp+data4+data8)
	var outer, inner Headers
	Parse(b, DLTIPv4, &outer)
	ParseNet(b[:outer.End], int(outer.Payload), EtherTypeIPv4, &inner)
	if want := udp4(20); inner != want {
		t.Errorf("inner headers %+v, want %+v", inner, want)
	}
	for _, off := range []int{-1, len(b) + 1} {
		ParseNet(b, off, EtherTypeIPv4, &inner)
		if want := nothing(0, uint32(len(b)), uint32(len(b))); inner != want {
			t.Errorf("offset %d: %+v, want %+v", off, inner, want)
		}
	}
}
