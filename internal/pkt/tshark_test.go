package pkt

import (
	"bufio"
	"fmt"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// fields are the fields that tshark prints. It lists every occurrence of a
// field, outermost first.
var fields = []string{
	"frame.number", "frame.len", "frame.protocols", "ieee8021ad.id", "vlan.id", "mpls.label",
	"ip.src", "ip.dst", "ip.proto", "ip.ttl", "ip.len", "ip.id", "ip.frag_offset",
	"ipv6.src", "ipv6.dst", "ipv6.nxt", "ipv6.plen", "ipv6.flow", "ipv6.fraghdr.ident",
	"tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.flags", "tcp.hdr_len", "tcp.len",
	"udp.srcport", "udp.dstport", "udp.length", "sctp.srcport", "sctp.dstport",
}

// TestAgainstTshark compares the outermost headers with those of tshark, frame
// by frame. Reassembly is off, because it moves ports to other frames.
func TestAgainstTshark(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("needs tshark")
	}
	excused := 0
	for _, c := range captures(t) {
		if c.name == "mixed-merged.pcap" {
			continue // by far the largest; TestAgainstLibpcap covers it
		}
		t.Run(c.name, func(t *testing.T) {
			rows := dissect(t, tshark, c.path)
			c.each(t, func(n int, link []byte) {
				var h Headers
				Parse(link, c.linkType, &h)
				if explained(&h, link, rows[n]) != "" {
					excused++
					return
				}
				if d := unlikeTshark(&h, link, rows[n]); d != "" {
					t.Errorf("frame %d: %s\n%+v", n, d, h)
				}
			})
		})
	}
	if excused != 21 {
		t.Errorf("%d frames were not compared, want the 21 that are known", excused)
	}
}

func dissect(t *testing.T, tshark, path string) map[int]map[string]string {
	args := []string{"-n", "-r", path, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a",
		"-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o", "tcp.analyze_sequence_numbers:FALSE"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	out, err := exec.Command(tshark, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	rows := map[int]map[string]string{}
	s := bufio.NewScanner(strings.NewReader(string(out)))
	for s.Scan() {
		row := map[string]string{}
		for i, v := range strings.Split(s.Text(), "\t") {
			row[fields[i]] = v
		}
		n, err := strconv.Atoi(row["frame.number"])
		if err != nil {
			t.Fatal(err)
		}
		rows[n] = row
	}
	return rows
}

// explained returns why tshark may find more in a frame than Parse.
func explained(h *Headers, link []byte, row map[string]string) string {
	switch {
	case strings.Contains(row["frame.protocols"], "mpls:pweth"):
		return "tshark guesses Ethernet in a pseudowire, a tunnel that nothing announces"
	case h.EtherType == EtherTypeIPv4 && link[h.Net]>>4 == 6:
		return "tshark follows the version field of an IPv6 packet that calls itself IPv4"
	}
	return ""
}

// A comparison collects the differences between h and tshark's row of fields.
type comparison struct {
	row map[string]string
	bad []string
}

// first compares the outermost occurrence of a field.
func (c *comparison) first(field string, got any) {
	want, _, _ := strings.Cut(c.row[field], ",")
	c.equal(field, fmt.Sprint(got), want)
}

func (c *comparison) equal(field, got, want string) {
	if got != want {
		c.bad = append(c.bad, fmt.Sprintf("%s %q, tshark %q", field, got, want))
	}
}

// unlikeTshark returns how h differs from tshark, empty if it does not.
func unlikeTshark(h *Headers, link []byte, row map[string]string) string {
	c := comparison{row: row}
	c.link(h)
	c.ip(h, link)
	c.transport(h, link)
	return strings.Join(c.bad, "; ")
}

// wire is the length of the frame on the wire, which no header may exceed.
func (c *comparison) wire() uint32 {
	n, _ := strconv.ParseUint(c.row["frame.len"], 10, 32)
	return uint32(n)
}

func (c *comparison) link(h *Headers) {
	var ids []string
	for _, tci := range h.TCI[:min(h.VLANs, MaxTCI)] {
		ids = append(ids, fmt.Sprint(VLANID(tci)))
	}
	want := strings.Trim(c.row["ieee8021ad.id"]+","+c.row["vlan.id"], ",")
	c.equal("vlan.id", strings.Join(ids, ","), want)
	if h.Labels > 0 {
		c.first("mpls.label", h.Label)
	}
	if h.EtherType == EtherTypeARP {
		c.equal("arp", "true", fmt.Sprint(strings.Contains(c.row["frame.protocols"], "arp")))
	}
}

func (c *comparison) ip(h *Headers, link []byte) {
	ip4, ip6 := h.IPv4(link), h.IPv6(link)
	switch {
	case ip4 != nil:
		c.first("ip.src", netip.AddrFrom4(ip4.Src()))
		c.first("ip.dst", netip.AddrFrom4(ip4.Dst()))
		c.first("ip.proto", ip4.Protocol())
		c.first("ip.ttl", ip4.TTL())
		c.first("ip.len", ip4.TotalLength())
		c.first("ip.id", fmt.Sprintf("0x%04x", ip4.ID()))
		c.first("ip.frag_offset", h.FragOffset/8)
	case ip6 != nil:
		c.first("ipv6.src", netip.AddrFrom16(ip6.Src()))
		c.first("ipv6.dst", netip.AddrFrom16(ip6.Dst()))
		c.first("ipv6.nxt", ip6.NextHeader())
		c.first("ipv6.plen", ip6.PayloadLength())
		c.first("ipv6.flow", fmt.Sprintf("0x%06x", ip6.FlowLabel()))
		if h.Has&HasFragment != 0 {
			c.first("ipv6.fraghdr.ident", fmt.Sprintf("0x%08x", h.FragID))
		}
	default:
		c.first("ip.src", "")
		c.first("ipv6.src", "")
	}
}

func (c *comparison) transport(h *Headers, link []byte) {
	src, dst := "", ""
	if h.Has&HasPorts != 0 {
		src, dst = fmt.Sprint(h.SrcPort), fmt.Sprint(h.DstPort)
	}
	switch h.Proto {
	case ProtoTCP:
		c.first("tcp.srcport", src)
		c.first("tcp.dstport", dst)
		if tcp := h.TCP(link); tcp != nil && h.Has&HasPayload != 0 {
			c.first("tcp.hdr_len", tcp.HeaderLen())
			c.first("tcp.len", min(c.wire(), h.WireEnd)-h.Payload)
			c.first("tcp.seq_raw", tcp.Seq())
			c.first("tcp.flags", fmt.Sprintf("0x%04x", uint16(tcp[12]&0x0f)<<8|uint16(h.TCPFlags)))
		}
	case ProtoUDP:
		c.first("udp.srcport", src)
		c.first("udp.dstport", dst)
		if h.Has&HasPayload != 0 && h.Has&HasFragment == 0 {
			c.first("udp.length", UDP(link[h.Transport:]).Length())
		}
	case ProtoSCTP:
		c.first("sctp.srcport", src)
		c.first("sctp.dstport", dst)
	}
}
