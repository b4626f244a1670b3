package tracegen

import "fmt"

// Filters returns n filter expressions of many kinds, like those of many users:
// hosts, networks of all prefix lengths, ports, port ranges, TCP flags,
// combinations and negations of these. Half of their addresses are hosts in the
// generated traffic. Equal arguments give equal expressions; some may occur
// twice.
func Filters(n int, seed uint64) []string {
	r := newRandom(seed)
	all := make([]string, n)
	for i := range all {
		all[i] = r.filter()
	}
	return all
}

// filter returns one expression. A negation follows a term that few packets
// match: alone it would match nearly all packets.
func (r random) filter() string {
	switch kind := r.below(100); {
	case kind < 20:
		return r.hostTerm()
	case kind < 40:
		return r.netTerm()
	case kind < 55:
		return r.portTerm()
	case kind < 62:
		return r.rangeTerm()
	case kind < 72:
		return r.hostTerm() + " and " + r.portTerm()
	case kind < 80:
		return r.netTerm() + " and not " + r.portTerm()
	case kind < 86:
		return r.hostTerm() + " and " + r.flagTerm()
	case kind < 90:
		return "tcp " + r.portsOf() + " and " + r.flagTerm() + " and not " + r.netTerm()
	case kind < 96:
		return "(" + r.hostTerm() + " or " + r.netTerm() + ") and not " + r.rangeTerm()
	default:
		return r.hostTerm() + " or (" + r.netTerm() + " and " + r.portTerm() + ")"
	}
}

func (r random) pick(words ...string) string { return words[r.below(len(words))] }

func (r random) direction() string { return r.pick("", "src ", "dst ") }

func (r random) hostTerm() string {
	return r.direction() + "host " + dotted(r.address())
}

// netTerm returns a network. Prefixes of less than 16 bits are anywhere: around
// the hosts of the traffic they would match all of it.
func (r random) netTerm() string {
	bits := r.between(8, 32)
	addr := r.address()
	if bits < 16 {
		addr = r.anywhere()
	}
	return fmt.Sprintf("%snet %s/%d", r.direction(), dotted(addr&(^uint32(0)<<(32-bits))), bits)
}

func (r random) portTerm() string { return r.pick("", "tcp ", "udp ") + r.portsOf() }

func (r random) portsOf() string {
	return fmt.Sprintf("%sport %d", r.direction(), r.between(1, scatteredPorts))
}

func (r random) rangeTerm() string {
	first := r.between(1, scatteredPorts)
	return fmt.Sprintf("%s%sportrange %d-%d", r.pick("", "tcp ", "udp "), r.direction(), first, first+r.between(1, 300))
}

func (r random) flagTerm() string {
	return r.pick("tcp[tcpflags] & tcp-syn != 0", "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn",
		"tcp[tcpflags] & tcp-push != 0", "tcp[13] = 0x11")
}

// address is that of a host in the traffic, or any.
func (r random) address() uint32 {
	if r.percent(50) {
		return r.anywhere()
	}
	nets := clientNets
	if r.percent(50) {
		nets = serverNets
	}
	n := nets[r.below(len(nets))]
	return n.base | uint32(r.between(1, 1<<n.bits-2))
}

// anywhere is a unicast address (multicast addresses start at 224.0.0.0, RFC
// 1112).
func (r random) anywhere() uint32 { return uint32(r.between(1<<24, 224<<24-1)) }

func dotted(a uint32) string {
	return fmt.Sprintf("%d.%d.%d.%d", byte(a>>24), byte(a>>16), byte(a>>8), byte(a))
}
