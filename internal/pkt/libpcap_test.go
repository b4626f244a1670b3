package pkt

import (
	"fmt"
	"testing"
)

// rules express tcpdump expressions in terms of Headers. libpcap looks neither
// past VLAN tags and labels nor into PPPoE, and takes a protocol only from the
// IP header or an IPv6 fragment header. The rules do the same.
var rules = map[string]func(h *Headers, link []byte) bool{
	"ip":   func(h *Headers, _ []byte) bool { return plain(h) && h.EtherType == EtherTypeIPv4 },
	"ip6":  func(h *Headers, _ []byte) bool { return plain(h) && h.EtherType == EtherTypeIPv6 },
	"arp":  func(h *Headers, _ []byte) bool { return plain(h) && h.EtherType == EtherTypeARP },
	"icmp": func(h *Headers, link []byte) bool { return plain(h) && ip4Proto(h, link) == ProtoICMP },
	"tcp":  func(h *Headers, link []byte) bool { return plain(h) && ipProto(h, link) == ProtoTCP },
	"udp":  func(h *Headers, link []byte) bool { return plain(h) && ipProto(h, link) == ProtoUDP },
	"ip[6:2] & 0x1fff != 0": func(h *Headers, _ []byte) bool {
		return plain(h) && h.Has&HasIPv4 != 0 && h.FragOffset != 0
	},
	"ip[6:2] & 0x3fff != 0": func(h *Headers, _ []byte) bool {
		return plain(h) && h.Has&(HasIPv4|HasFragment) == HasIPv4|HasFragment
	},
	"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0": func(h *Headers, _ []byte) bool {
		return plain(h) && h.Has&(HasIPv4|HasTCP) == HasIPv4|HasTCP && h.TCPFlags&(TCPSyn|TCPFin) != 0
	},
	"tcp and dst port 80": func(h *Headers, _ []byte) bool {
		return plain(h) && h.Proto == ProtoTCP && h.Has&HasPorts != 0 && h.DstPort == 80
	},
	"port 53": func(h *Headers, link []byte) bool {
		return plain(h) && h.Has&HasPorts != 0 && int(h.Proto) == directProto(h, link) && (h.SrcPort == 53 || h.DstPort == 53)
	},
	"vlan": func(h *Headers, _ []byte) bool { return h.VLANs > 0 },
	"mpls": func(h *Headers, _ []byte) bool { return h.Labels > 0 && h.VLANs == 0 },
}

// unlike are captures that libpcap reads differently: it does not look into
// PPPoE, and treats two bytes of every PPP frame as address and control field,
// which these lack. tshark is the reference for both.
var unlike = map[string]bool{"zk-pppoe.pcap": true, "zk-quic-ppp.pcap": true}

func plain(h *Headers) bool { return h.VLANs == 0 && h.Labels == 0 }

func ip4Proto(h *Headers, link []byte) int {
	if ip := h.IPv4(link); ip != nil {
		return int(ip.Protocol())
	}
	return -1
}

// directProto is the protocol field of the IP header itself.
func directProto(h *Headers, link []byte) int {
	if ip := h.IPv6(link); ip != nil {
		return int(ip.NextHeader())
	}
	return ip4Proto(h, link)
}

func ipProto(h *Headers, link []byte) int {
	if ip := h.IPv6(link); ip != nil {
		if ip.NextHeader() == ProtoFragment && len(ip) > ipv6Len {
			return int(ip[ipv6Len])
		}
		return int(ip.NextHeader())
	}
	return ip4Proto(h, link)
}

// damaged are frames of fuzzed traffic whose IP version is neither 4 nor 6.
// libpcap does not check the version. Parse finds an IP header only if a
// receiver would accept it.
var damaged = map[string]int{
	"nd-fuzz-be.pcap tcp":                                    3,
	"nd-fuzz-be.pcap udp":                                    4,
	"nd-fuzz-be.pcap ip[6:2] & 0x1fff != 0":                  1,
	"nd-fuzz-be.pcap ip[6:2] & 0x3fff != 0":                  1,
	"nd-fuzz-be.pcap tcp[tcpflags] & (tcp-syn|tcp-fin) != 0": 2,
}

// TestAgainstLibpcap compares counts over whole captures with those of tcpdump.
func TestAgainstLibpcap(t *testing.T) {
	for _, c := range captures(t) {
		if unlike[c.name] {
			continue
		}
		got := map[string]int{}
		c.each(t, func(_ int, link []byte) {
			var h Headers
			Parse(link, c.linkType, &h)
			for name, match := range rules {
				if match(&h, link) {
					got[name]++
				}
			}
		})
		for name := range rules {
			want := c.want["filter-packets "+name]
			if want == "unsupported" {
				continue
			}
			if n := got[name] + damaged[c.name+" "+name]; fmt.Sprint(n) != want {
				t.Errorf("%s: %q matches %d, libpcap %s", c.name, name, n, want)
			}
		}
	}
}
