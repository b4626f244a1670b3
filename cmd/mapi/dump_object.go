package main

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"
	"time"

	"gomapi/internal/pkt"
	"gomapi/mapi"
)

// packetObject is a packet in JSON. Fields that the packet lacks are omitted.
type packetObject struct {
	Time      time.Time `json:"time"`
	Interface string    `json:"interface,omitempty"` // interface of the capture
	Port      uint16    `json:"port"`                // number of the interface, or of the port of a card or file
	LinkType  uint16    `json:"link_type"`           // DLT number of libpcap
	Length    uint32    `json:"length"`              // on the wire, bytes
	Captured  int       `json:"captured"`            // bytes
	EtherType uint16    `json:"ethertype,omitempty"` // after tags and labels
	VLANs     []uint16  `json:"vlans,omitempty"`     // numbers, outermost first
	Src       string    `json:"src,omitempty"`       // IP address
	Dst       string    `json:"dst,omitempty"`
	Proto     string    `json:"proto,omitempty"` // of the IP header: tcp, udp, icmp, icmp6, or a number
	Sport     *uint16   `json:"sport,omitempty"`
	Dport     *uint16   `json:"dport,omitempty"`
	Summary   string    `json:"summary"` // the line of text output
}

// objects appends JSON. It allocates for each packet: readers of JSON spend
// much more time on parsing.
func (l *lineFlags) objects(device string) func(b []byte, p *mapi.Packet) []byte {
	o := l.options(device != "")
	var text []byte
	var line bytes.Buffer
	return func(b []byte, p *mapi.Packet) []byte {
		text = o.Append(text[:0], p.Data, p.LinkType, p.Wlen)
		line.Reset()
		object := packetObject{
			Time: p.Time().Local(), Interface: device, Port: p.IfIndex, LinkType: p.LinkType,
			Length: p.Wlen, Captured: len(p.Data), Summary: string(text),
		}
		const cooked2Len = 20 // link-layer header of captures on all interfaces
		if o.Interface != nil && p.LinkType == pkt.DLTLinuxSLL2 && len(p.Data) >= cooked2Len {
			object.Interface = o.Interface(binary.BigEndian.Uint32(p.Data[4:]))
		}
		object.headers(p)
		_ = writeJSON(&line, object) // a buffer accepts all writes
		return append(b, line.Bytes()...)
	}
}

// headers sets the fields that come from the headers.
func (o *packetObject) headers(p *mapi.Packet) {
	var h pkt.Headers
	pkt.Parse(p.Data, p.LinkType, &h)
	o.EtherType = h.EtherType
	for _, tci := range h.TCI[:min(int(h.VLANs), pkt.MaxTCI)] {
		o.VLANs = append(o.VLANs, pkt.VLANID(tci))
	}
	net := p.Data[h.Net:]
	switch {
	case h.Has&pkt.HasIPv4 != 0:
		o.addresses(net[12:16], net[16:20])
	case h.Has&pkt.HasIPv6 != 0:
		o.addresses(net[8:24], net[24:40])
	default:
		return
	}
	o.Proto = protocolName(h.Proto)
	if h.Has&pkt.HasPorts != 0 {
		o.Sport, o.Dport = &h.SrcPort, &h.DstPort
	}
}

func (o *packetObject) addresses(src, dst []byte) {
	from, _ := netip.AddrFromSlice(src)
	to, _ := netip.AddrFromSlice(dst)
	o.Src, o.Dst = from.String(), to.String()
}

// protocolName is the name of an IP protocol, or its number.
func protocolName(n uint8) string {
	switch n {
	case pkt.ProtoTCP:
		return "tcp"
	case pkt.ProtoUDP:
		return "udp"
	case pkt.ProtoICMP:
		return "icmp"
	case pkt.ProtoICMPv6:
		return "icmp6"
	}
	return strconv.Itoa(int(n))
}
