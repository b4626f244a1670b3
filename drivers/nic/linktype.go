package nic

import (
	"golang.org/x/sys/unix"

	"gomapi/internal/pkt"
)

// anyName is the device that captures on all interfaces of its network
// namespace.
const anyName = "any"

// A linkType describes how the packets of an interface start.
type linkType struct {
	dlt    uint16 // tcpdump.org/linktypes
	header header
	// twice says that the socket sees each packet twice: outgoing and incoming.
	twice bool
}

// Link types that package pkt does not parse.
const (
	dltIEEE80211         = 105
	dltIEEE80211Prism    = 119
	dltIEEE80211Radiotap = 127
)

// linkTypes are the ARPHRD numbers (linux/if_arp.h) of interfaces whose packets
// are used unchanged.
var linkTypes = map[uint16]linkType{
	unix.ARPHRD_ETHER:    {dlt: pkt.DLTEthernet, header: ethernet},
	unix.ARPHRD_LOOPBACK: {dlt: pkt.DLTEthernet, header: ethernet, twice: true}, // with zero addresses
	unix.ARPHRD_NONE:     {dlt: pkt.DLTRaw},                                     // tun, WireGuard
	unix.ARPHRD_RAWIP:    {dlt: pkt.DLTRaw},                                     // modems

	unix.ARPHRD_IEEE80211:          {dlt: dltIEEE80211},
	unix.ARPHRD_IEEE80211_PRISM:    {dlt: dltIEEE80211Prism},
	unix.ARPHRD_IEEE80211_RADIOTAP: {dlt: dltIEEE80211Radiotap},
}

var anyLink = linkType{dlt: pkt.DLTLinuxSLL2, header: cooked2}

// linkTypeOf returns the link type for a hardware type. If headers differ from
// packet to packet or mean nothing to readers of captures (PPP, tunnels), the
// kernel strips them, and a cooked header replaces them.
func linkTypeOf(arphrd uint16) linkType {
	if l, ok := linkTypes[arphrd]; ok {
		return l
	}
	return linkType{dlt: pkt.DLTLinuxSLL, header: cooked}
}

// socketType returns the type of packet socket: without link header if each
// packet has its own. "any" also uses packets with link headers, to find the
// tags of Ethernet frames that have several.
func (l linkType) socketType() int {
	if l.header == cooked {
		return unix.SOCK_DGRAM
	}
	return unix.SOCK_RAW
}
