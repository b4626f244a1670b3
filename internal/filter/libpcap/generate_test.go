package libpcap

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// A generator makes expressions that packets of a capture are likely to match, because it
// uses their addresses and ports.
type generator struct {
	*rand.Rand
	hosts, macs []string
	ports       []int
}

func newGenerator(r *rand.Rand, packets []frame) *generator {
	g := &generator{Rand: r, hosts: []string{"10.0.0.1", "::1"}, macs: []string{"ff:ff:ff:ff:ff:ff"}, ports: []int{53}}
	for range 50 {
		b := packets[r.IntN(len(packets))].data
		if len(b) < 54 {
			continue
		}
		g.macs = append(g.macs, net.HardwareAddr(b[:6]).String(), net.HardwareAddr(b[6:12]).String())
		switch {
		case b[12] == 0x08 && b[13] == 0:
			g.hosts = append(g.hosts, net.IP(b[26:30]).String(), net.IP(b[30:34]).String())
			g.ports = append(g.ports, int(b[34])<<8|int(b[35]), int(b[36])<<8|int(b[37]))
		case b[12] == 0x86 && b[13] == 0xdd:
			g.hosts = append(g.hosts, net.IP(b[22:38]).String(), net.IP(b[38:54]).String())
		}
	}
	return g
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func (g *generator) expression(depth int) string {
	if depth == 0 || g.IntN(4) == 0 {
		return g.primitive()
	}
	a, b := g.expression(depth-1), g.expression(depth-1)
	switch g.IntN(4) {
	case 0:
		return "not (" + a + ")"
	case 1:
		return "(" + a + ") and (" + b + ")"
	}
	return "(" + a + ") or (" + b + ")"
}

func (g *generator) primitive() string {
	direction := pick(g.Rand, "", "src ", "dst ", "src and dst ")
	switch g.IntN(8) {
	case 0, 1:
		return direction + "host " + pick(g.Rand, g.hosts...)
	case 2:
		return direction + "net " + g.network()
	case 3:
		return pick(g.Rand, "", "tcp ", "udp ") + direction + fmt.Sprint("port ", pick(g.Rand, g.ports...))
	case 4:
		low := pick(g.Rand, g.ports...)
		return direction + fmt.Sprintf("portrange %d-%d", low, min(65535, low+g.IntN(2000)))
	case 5:
		return "ether " + pick(g.Rand, "src ", "dst ", "host ") + pick(g.Rand, g.macs...)
	case 6:
		return fmt.Sprintf("%s[%d:%d] %s %d", pick(g.Rand, "ip", "tcp", "udp", "ip6", "ether"), g.IntN(60),
			pick(g.Rand, 1, 2, 4), pick(g.Rand, "=", "!=", ">", "<=", "& 15 =", "* 3 >"), g.IntN(300))
	}
	return pick(g.Rand, "ip", "ip6", "tcp", "udp", "icmp", "arp", "vlan", "greater 200", "less 100", "multicast")
}

func (g *generator) network() string {
	ip := net.ParseIP(pick(g.Rand, g.hosts...))
	size := 128
	if v4 := ip.To4(); v4 != nil {
		ip, size = v4, 32
	}
	bits := g.IntN(size + 1)
	return fmt.Sprintf("%v/%d", ip.Mask(net.CIDRMask(bits, size)), bits)
}

// builtPackets returns one packet for each way of stacking headers.
func builtPackets(t testing.TB) map[string][]byte {
	t.Helper()
	ether := func(next layers.EthernetType) *layers.Ethernet {
		return &layers.Ethernet{SrcMAC: net.HardwareAddr{0, 1, 2, 3, 4, 5}, DstMAC: net.HardwareAddr{1, 0, 0x5e, 0, 0, 0x12}, EthernetType: next}
	}
	tag := func(id uint16, next layers.EthernetType) *layers.Dot1Q {
		return &layers.Dot1Q{VLANIdentifier: id, Type: next}
	}
	ip4 := &layers.IPv4{Version: 4, IHL: 5, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: net.IP{10, 0, 2, 15}, DstIP: net.IP{192, 168, 1, 2}}
	options := &layers.IPv4{Version: 4, TTL: 9, Protocol: layers.IPProtocolUDP, SrcIP: net.IP{10, 0, 2, 15}, DstIP: net.IP{10, 0, 0, 22},
		Options: []layers.IPv4Option{{OptionType: 148, OptionLength: 4, OptionData: []byte{0, 0}}}}
	ip6 := func(next layers.IPProtocol) *layers.IPv6 {
		return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: next, SrcIP: net.ParseIP("fe80::1"), DstIP: net.ParseIP("ff02::16")}
	}
	tcp := &layers.TCP{SrcPort: 40000, DstPort: 80, SYN: true, DataOffset: 5}
	udp := &layers.UDP{SrcPort: 53, DstPort: 1900}
	raw := func(b ...byte) gopacket.Payload { return gopacket.Payload(b) }
	data := raw([]byte("GET / HTTP/1.0\r\n")...)
	const qinq, mpls, session = layers.EthernetTypeQinQ, layers.EthernetTypeMPLSUnicast, layers.EthernetTypePPPoESession
	packets := make(map[string][]byte)
	for name, stack := range map[string][]gopacket.SerializableLayer{
		"plain":     {ether(layers.EthernetTypeIPv4), ip4, tcp, data},
		"options":   {ether(layers.EthernetTypeIPv4), options, udp, data},
		"vlan":      {ether(layers.EthernetTypeDot1Q), tag(10, layers.EthernetTypeIPv4), ip4, tcp, data},
		"qinq":      {ether(qinq), tag(100, layers.EthernetTypeDot1Q), tag(10, layers.EthernetTypeIPv4), ip4, tcp, data},
		"vlan6":     {ether(layers.EthernetTypeDot1Q), tag(10, layers.EthernetTypeIPv6), ip6(layers.IPProtocolUDP), udp, data},
		"mpls":      {ether(mpls), &layers.MPLS{Label: 100, StackBottom: true, TTL: 3}, ip4, tcp, data},
		"mpls2":     {ether(mpls), &layers.MPLS{Label: 16}, &layers.MPLS{Label: 100, StackBottom: true}, ip4, tcp, data},
		"vlan mpls": {ether(layers.EthernetTypeDot1Q), tag(1, mpls), &layers.MPLS{Label: 100, StackBottom: true}, ip4, tcp, data},
		"pppoe": {ether(session), &layers.PPPoE{Version: 1, Type: 1, SessionId: 1},
			&layers.PPP{PPPType: layers.PPPTypeIPv4}, ip4, tcp, data},
		"pppoe6": {ether(layers.EthernetTypeDot1Q), tag(7, session), &layers.PPPoE{Version: 1, Type: 1, SessionId: 1},
			&layers.PPP{PPPType: layers.PPPTypeIPv6}, ip6(layers.IPProtocolUDP), udp, data},
		"hop by hop": {ether(layers.EthernetTypeIPv6), ip6(0), raw(6, 0, 5, 2, 0, 0, 0, 0), tcp, data},
		"extensions": {ether(layers.EthernetTypeIPv6), ip6(0), raw(60, 0, 5, 2, 0, 0, 0, 0), raw(44, 0, 1, 4, 0, 0, 0, 0),
			raw(17, 0, 0, 1, 0, 0, 0, 9), udp, data},
		"long chain": {ether(layers.EthernetTypeIPv6), ip6(60), raw(bytes.Repeat([]byte{60, 0, 5, 2, 0, 0, 0, 0}, 170)...),
			raw(17, 0, 5, 2, 0, 0, 0, 0), udp, data},
		"icmp6": {ether(layers.EthernetTypeIPv6), ip6(layers.IPProtocolICMPv6), raw(135, 0, 0, 0, 0, 0, 0, 0)},
		"llc":   {ether(layers.EthernetTypeLLC), raw(0x42, 0x42, 3, 0, 0, 0, 0)},
	} {
		buf := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, stack...); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		packets[name] = buf.Bytes()
	}
	return packets
}
