package stdflib

import (
	"encoding/binary"

	"gomapi/flib"
	"gomapi/internal/pkt"
)

// netHeader returns the EtherType in a link header and the bytes after the header. It
// reads frames as the original does: Ethernet, with a VLAN tag taken for the network
// header, and Cisco HDLC. It reports false for other link types and for truncated
// headers.
func netHeader(p *flib.Packet) (etherType uint16, net []byte, ok bool) {
	size := 0
	switch p.LinkType {
	case pkt.DLTEthernet:
		size = 14
	case pkt.DLTCHDLC:
		size = 4
	}
	if size == 0 || len(p.Link) < size {
		return 0, nil, false
	}
	return binary.BigEndian.Uint16(p.Link[size-2:]), p.Link[size:], true
}
