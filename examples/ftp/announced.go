package main

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

var (
	// h1,h2,h3,h4,p1,p2 of RFC 959. In the reply, the address begins at the first
	// digit, whatever the other text is (RFC 1123, 4.1.2.6).
	classic = regexp.MustCompile(`(?m)^(?:PORT |227 [^\d\n]*)(\d{1,3},\d{1,3},\d{1,3},\d{1,3}),(\d{1,3}),(\d{1,3})\b`)
	// |protocol|address|port| of RFC 2428. The reply has only the port.
	extended = regexp.MustCompile(`(?m)^(?:EPRT \|[12]\|([0-9A-Fa-f:.]{2,45})|229 [^\n]*\(\|\|)\|(\d{1,5})\|`)
)

// announced finds the address and port of a future data connection in the text of a
// control connection. The text may contain anything: ok is true only for a valid address
// and a port other than 0. Sender is the host that sent the text.
func announced(text []byte, sender netip.Addr) (to netip.AddrPort, ok bool) {
	if m := classic.FindSubmatch(text); m != nil {
		addr, err := netip.ParseAddr(strings.ReplaceAll(string(m[1]), ",", "."))
		high, errHigh := strconv.ParseUint(string(m[2]), 10, 8)
		low, errLow := strconv.ParseUint(string(m[3]), 10, 8)
		to = netip.AddrPortFrom(addr, uint16(high<<8|low))
		return to, err == nil && errHigh == nil && errLow == nil && to.Port() != 0
	}
	if m := extended.FindSubmatch(text); m != nil {
		addr, err := sender, error(nil)
		if m[1] != nil {
			addr, err = netip.ParseAddr(string(m[1]))
		}
		port, errPort := strconv.ParseUint(string(m[2]), 10, 16)
		to = netip.AddrPortFrom(addr.Unmap(), uint16(port))
		return to, err == nil && errPort == nil && to.IsValid() && to.Port() != 0
	}
	return to, false
}

// payload returns the payload and the sender of a TCP packet on Ethernet; for other
// packets it returns nothing.
func payload(frame []byte) (text []byte, sender netip.Addr) {
	p := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	tcp, ok := p.Layer(layers.LayerTypeTCP).(*layers.TCP) // decodes no further
	if !ok {
		return nil, sender
	}
	sender, _ = netip.AddrFromSlice(p.NetworkLayer().NetworkFlow().Src().Raw())
	return tcp.Payload, sender
}
