package summary

import (
	"bytes"
	"encoding/binary"

	"gomapi/internal/pkt"
)

// The header of an ARP packet (RFC 826): offsets and size in bytes.
const (
	arpProtocol     = 2
	arpHardwareSize = 4
	arpProtocolSize = 5
	arpOperation    = 6
	arpHead         = 8

	arpLen = arpHead + 2*(macLen+ipv4Address) // for Ethernet and IPv4
)

// Operations of ARP (IANA).
const (
	arpRequest   = 1
	arpReply     = 2
	rarpRequest  = 3
	rarpReply    = 4
	inarpRequest = 8
	inarpReply   = 9
	nackReply    = 10 // of ARP for ATM
)

// arp prints an ARP or RARP packet (RFC 903); the two differ in their
// operations. It decodes packets for IPv4 with addresses of six bytes. Of
// others it prints only the kinds of addresses.
func (l *line) arp(p part) {
	if len(p.b) < arpHead {
		l.cut("arp")
		return
	}
	macs, addresses := int(p.b[arpHardwareSize]), int(p.b[arpProtocolSize])
	if len(p.b) < arpHead+2*(macs+addresses) {
		l.cut("arp")
		return
	}
	protocol, operation := binary.BigEndian.Uint16(p.b[arpProtocol:]), binary.BigEndian.Uint16(p.b[arpOperation:])
	l.protocolName("ARP, ")
	if macs != macLen || addresses != ipv4Address || protocol != pkt.EtherTypeIPv4 {
		l.add("for protocol %, operation %, length %", uint32(protocol), uint32(operation), uint32(p.wire))
		return
	}
	if l.more {
		const ethernet = 1
		if hardware := binary.BigEndian.Uint16(p.b); hardware == ethernet {
			l.add("Ethernet")
		} else {
			l.add("Unknown Hardware (%)", uint32(hardware))
		}
		l.add(" (len 6), IPv4 (len 4), ")
	}
	if l.arpEthernet(p.b[arpHead:arpLen], operation) {
		l.add(", length %", uint32(p.wire))
	}
}

// arpEthernet prints the addresses of sender and target in b. It returns false
// for an operation of which only the name is printed.
func (l *line) arpEthernet(b []byte, operation uint16) bool {
	senderMAC, sender := b[:6], b[6:10]
	targetMAC, target := b[10:16], b[16:20]
	switch operation {
	case arpRequest:
		l.add("Request who-has ")
		l.address(target)
		if !bytes.Equal(targetMAC, []byte{0, 0, 0, 0, 0, 0}) {
			l.add(" (")
			l.mac(targetMAC)
			l.add(")")
		}
		l.add(" tell ")
		l.address(sender)
	case arpReply:
		l.add("Reply ")
		l.address(sender)
		l.add(" is-at ")
		l.mac(senderMAC)
	case rarpRequest:
		l.add("Reverse Request who-is ")
		l.mac(targetMAC)
		l.add(" tell ")
		l.mac(senderMAC)
	case rarpReply:
		l.add("Reverse Reply ")
		l.mac(targetMAC)
		l.add(" at ")
		l.address(target)
	case inarpRequest:
		l.add("Inverse Request who-is ")
		l.mac(targetMAC)
		l.add(" tell ")
		l.mac(senderMAC)
	case inarpReply:
		l.add("Inverse Reply ")
		l.mac(senderMAC)
		l.add(" at ")
		l.address(sender)
	case nackReply:
		l.add("NACK Reply")
		return false
	default:
		l.add("Unknown (%)", uint32(operation))
		return false
	}
	return true
}
