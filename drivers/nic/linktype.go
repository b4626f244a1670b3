package nic

import (
	"fmt"

	"golang.org/x/sys/unix"

	"gomapi/internal/mapierr"
)

// A linkType says what the frames of an interface start with.
type linkType struct {
	dlt uint16 // link type of the packets, tcpdump.org/linktypes.html
	// twice says that each packet passes going out and again coming in.
	twice bool
}

const dltEthernet = 1

// linkTypes are the ARPHRD numbers (linux/if_arp.h) that are captured.
var linkTypes = map[uint16]linkType{
	unix.ARPHRD_ETHER:    {dlt: dltEthernet},
	unix.ARPHRD_LOOPBACK: {dlt: dltEthernet, twice: true}, // Ethernet headers with zero addresses
}

// arphrdNames name what is refused.
var arphrdNames = map[uint16]string{
	unix.ARPHRD_PPP:                "PPP",
	unix.ARPHRD_TUNNEL:             "IP in IP tunnel",
	unix.ARPHRD_TUNNEL6:            "IPv6 tunnel",
	unix.ARPHRD_SIT:                "IPv6 in IPv4 tunnel",
	unix.ARPHRD_IPGRE:              "GRE tunnel",
	unix.ARPHRD_IP6GRE:             "GRE over IPv6 tunnel",
	unix.ARPHRD_IEEE80211:          "Wi-Fi monitor",
	unix.ARPHRD_IEEE80211_PRISM:    "Wi-Fi monitor with Prism header",
	unix.ARPHRD_IEEE80211_RADIOTAP: "Wi-Fi monitor with radiotap header",
	unix.ARPHRD_INFINIBAND:         "InfiniBand",
	unix.ARPHRD_CAN:                "CAN bus",
	unix.ARPHRD_NETLINK:            "netlink monitor",
	unix.ARPHRD_RAWIP:              "raw IP modem",
	unix.ARPHRD_NONE:               "no link header, as tun and WireGuard have",
}

// linkTypeOf looks the hardware type of interface name up.
func linkTypeOf(name string, arphrd uint16) (linkType, error) {
	if l, ok := linkTypes[arphrd]; ok {
		return l, nil
	}
	what, ok := arphrdNames[arphrd]
	if !ok {
		what = fmt.Sprintf("hardware type %d", arphrd)
	} else {
		what = fmt.Sprintf("hardware type %d, %s", arphrd, what)
	}
	return linkType{}, mapierr.New(mapierr.PcapOpen,
		"interface %s has a link type that is not supported (%s); Ethernet and loopback are", name, what)
}
