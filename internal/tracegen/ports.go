package tracegen

import "io"

// Count is a number of packets and their bytes on the wire, without FCS.
type Count struct{ Packets, Bytes uint64 }

// Ports counts packets by UDP destination port: those that the filter "udp dst
// port N" matches, which excludes packets with a VLAN tag.
type Ports [1 << 16]Count

// CountPorts returns the counts for the file that Write writes with the same
// arguments.
func CountPorts(packets int, seed uint64) *Ports {
	g := newGenerator(seed)
	g.ports = new(Ports)
	_ = g.write(io.Discard, packets) // io.Discard has no errors
	return g.ports
}

// addTo counts a packet of n bytes.
func (p *Ports) addTo(port uint16, n int) {
	p[port].Packets++
	p[port].Bytes += uint64(n)
}
