package nic

import "golang.org/x/sys/unix"

// longestFrame returns the maximum frame length of an interface with this MTU
// in bytes, including an Ethernet header and two VLAN tags.
func longestFrame(mtu int) uint32 { return uint32(mtu) + 14 + 2*tagBytes }

// warnMerging warns if the card is set to merge packets, because merged packets
// are counted and seen as one. Loopback merges nothing.
func (d *device) warnMerging() {
	if on := d.control.merging(d.called); on != "" && !d.link.twice {
		d.log("interface %s merges packets it receives, which then count as one; for exact packet counts: ethtool -K %s%s",
			d.name, d.called, on)
	}
}

// warnMerged warns once if frames are longer than the interface can carry.
func (d *device) warnMerged() {
	if d.view.longest <= d.longest {
		return
	}
	if mtu, err := d.control.ask(d.called, unix.SIOCGIFMTU); err == nil {
		d.longest = longestFrame(int(mtu.Uint32())) // it may have been raised
	}
	if d.view.longest > d.longest {
		d.log("interface %s shows frames of %d bytes, more than its MTU allows: packets that were merged on this machine "+
			"(GRO, LRO, TSO) count as one, with all their bytes; for exact packet counts: ethtool -K %s gro off lro off, "+
			"and tso off gso off where they are sent", d.name, d.view.longest, d.called)
		d.longest = ^uint32(0)
	}
}
