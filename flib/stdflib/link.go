package stdflib

import (
	"encoding/binary"

	"gomapi/flib"
	"gomapi/internal/pkt"
)

// netHeader returns the EtherType that a link header names and what follows the
// header, as the original reads frames: Ethernet, where it takes a VLAN tag for the
// network header, and Cisco HDLC. It reports false for other link types and where
// the header is cut off.
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
