package pkt

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// TestAgainstGopacket compares link tags, the outermost IP header, fragments
// and the transport header with gopacket's layers, for every frame that
// gopacket decodes without an error. It skips frames with an error, because a
// header is truncated or damaged then, and tshark is the better reference.
func TestAgainstGopacket(t *testing.T) {
	compared := 0
	for _, c := range captures(t) {
		if c.linkType > 255 || c.name == "zk-quic-ppp.pcap" {
			continue // gopacket has no room for the link type, or supports PPP only with address and control field
		}
		c.each(t, func(n int, link []byte) {
			var h Headers
			Parse(link, c.linkType, &h)
			p := gopacket.NewPacket(link, layers.LinkType(c.linkType), gopacket.NoCopy)
			if p.ErrorLayer() != nil {
				return
			}
			compared++
			if d := gopacketDiffers(&h, p.Layers()); d != "" {
				t.Errorf("%s: frame %d: %s", c.name, n, d)
			}
		})
	}
	if compared < 70000 {
		t.Errorf("only %d frames compared", compared)
	}
}

// gopacketDiffers returns how h differs from the layers up to the transport
// header of the outermost IP packet.
func gopacketDiffers(h *Headers, all []gopacket.Layer) string {
	var bad differences
	inIP := false
	for _, l := range all {
		switch l := l.(type) {
		case *layers.IPv4, *layers.IPv6:
			if inIP {
				return bad.String()
			}
			inIP = true
			bad.network(h, l)
		case *layers.Dot1Q:
			if !inIP {
				bad.tag(h, l)
			}
		case *layers.IPv6Fragment:
			if h.Has&HasFragment != 0 { // not fragmented: RFC 6946
				bad.check("fragment id", h.FragID, l.Identification)
			}
		case *layers.TCP, *layers.UDP:
			bad.transport(h, l)
			return bad.String()
		}
	}
	return bad.String()
}

// differences collects the differences between the two decoders.
type differences struct {
	list []string
	tags int // VLAN tags compared
}

func (d *differences) String() string { return strings.Join(d.list, "; ") }

func (d *differences) check(what string, got, want any) {
	if fmt.Sprint(got) != fmt.Sprint(want) {
		d.list = append(d.list, fmt.Sprintf("%s %v, gopacket %v", what, got, want))
	}
}

func (d *differences) tag(h *Headers, l *layers.Dot1Q) {
	if d.tags < MaxTCI {
		d.check("VLAN id", VLANID(h.TCI[d.tags]), l.VLANIdentifier)
	}
	d.tags++
}

func (d *differences) network(h *Headers, l gopacket.Layer) {
	switch l := l.(type) {
	case *layers.IPv4:
		if l.Version != 4 {
			return // gopacket does not check the version
		}
		d.check("IPv4", h.Has&HasIPv4 != 0, true)
		d.check("fragment offset", h.FragOffset, l.FragOffset*8)
		d.check("header length", h.Transport-h.Net, l.IHL*4)
	case *layers.IPv6:
		d.check("IPv6", h.Has&HasIPv6 != 0, true)
	}
}

func (d *differences) transport(h *Headers, l gopacket.Layer) {
	if h.Has&(HasIPv4|HasIPv6) == 0 {
		return // the version field, see network
	}
	ports := [2]uint16{h.SrcPort, h.DstPort}
	switch l := l.(type) {
	case *layers.TCP:
		d.check("protocol", h.Proto, ProtoTCP)
		d.check("ports", ports, [2]uint16{uint16(l.SrcPort), uint16(l.DstPort)})
		d.check("flags", h.TCPFlags, l.Contents[13])
		d.check("payload", h.End-h.Payload, len(l.Payload))
	case *layers.UDP:
		d.check("protocol", h.Proto, ProtoUDP)
		d.check("ports", ports, [2]uint16{uint16(l.SrcPort), uint16(l.DstPort)})
		d.check("payload", h.End-h.Payload, len(l.Payload))
	}
}
