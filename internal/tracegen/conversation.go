package tracegen

// A side is a side of a conversation: 0 is the client, which sends first.
type side int

const (
	client side = 0
	server side = 1
)

// An endpoint is one host and port.
type endpoint struct {
	mac  [6]byte
	ip   [16]byte // IPv4 addresses fill the first four bytes
	port uint16
	seq  uint32 // of the next byte to send
}

// A conversation is a TCP connection or an exchange of datagrams.
type conversation struct {
	proto  uint8
	v6     bool
	text   bool   // printable payload
	oneWay bool   // only the client sends
	vlan   uint16 // tag, 0 for none
	sent   int    // packets so far
	left   int    // packets remaining
	ends   [2]endpoint
}

// clientNets and serverNets are the networks of the hosts: private ones (RFC
// 1918), and those reserved for documentation and benchmarks (RFC 5737, RFC
// 2544). bits is the number of low address bits that vary.
var (
	clientNets = []net4{{0x0a140000, 16}, {0xac100000, 14}, {0xc0a80100, 8}}
	serverNets = []net4{{0xc6120000, 17}, {0xcb007100, 8}, {0xc6336400, 8}, {0xc0000200, 8}}
)

type net4 struct {
	base uint32
	bits int
}

// tcpPorts and udpPorts are the ports of servers; busy ports occur several
// times.
var (
	tcpPorts = []uint16{80, 80, 80, 80, 443, 443, 443, 443, 443, 22, 25, 21, 110, 143, 993, 445, 3306, 6881, 8080}
	udpPorts = []uint16{53, 53, 53, 443, 443, 123, 161, 514, 1194, 5060, 6881}
)

// scatteredPorts is the port range for the benchmark's many filters "udp dst
// port N".
const scatteredPorts = 60_000

// converse starts a new conversation.
func (r random) converse() conversation {
	c := conversation{v6: r.percent(15)}
	if r.percent(10) {
		c.vlan = uint16(r.between(1, 16)) * 100
	}
	c.ends[client] = r.host(c.v6, clientNets)
	c.ends[server] = r.host(c.v6, serverNets)
	c.ends[client].port = uint16(r.between(1024, 65535))
	switch kind := r.below(100); {
	case kind < 38:
		r.connection(&c)
	case kind < 50:
		c.proto, c.left = protoUDP, r.between(1, 40)
		c.ends[server].port = udpPorts[r.below(len(udpPorts))]
	case kind < 97:
		c.proto, c.left, c.oneWay = protoUDP, r.between(1, 4), true
		c.ends[server].port = uint16(r.between(1, scatteredPorts))
		c.text = r.percent(20)
	default:
		c.proto, c.left = protoICMP, r.between(2, 20)
		if c.v6 {
			c.proto = protoICMPv6
		}
	}
	return c
}

// connection makes c a TCP connection: most are short, some transfer much data.
func (r random) connection(c *conversation) {
	c.proto, c.left = protoTCP, r.between(6, 40)
	if r.percent(5) {
		c.left = r.between(100, 1000)
	}
	port := tcpPorts[r.below(len(tcpPorts))]
	c.ends[server].port = port
	c.ends[client].seq, c.ends[server].seq = r.u32(), r.u32()
	c.text = port != 443 && port != 22 && port != 993 && r.percent(60)
}

// host selects a host of one of the networks. Its Ethernet address is derived
// from it, in the locally administered range.
func (r random) host(v6 bool, nets []net4) endpoint {
	var e endpoint
	n := nets[r.below(len(nets))]
	addr := n.base | uint32(r.between(1, 1<<n.bits-2))
	if v6 {
		// 2001:db8::/32 (RFC 3849), with the IPv4 host's network as the subnet.
		e.ip = [16]byte{0x20, 0x01, 0x0d, 0xb8, 0, 0, byte(n.base >> 24), byte(n.base >> 16),
			13: byte(addr >> 16), 14: byte(addr >> 8), 15: byte(addr)}
	} else {
		e.ip = [16]byte{byte(addr >> 24), byte(addr >> 16), byte(addr >> 8), byte(addr)}
	}
	e.mac = [6]byte{2, 0, byte(addr >> 24), byte(addr >> 16), byte(addr >> 8), byte(addr)}
	return e
}
