package nic

import (
	"math"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/pkt"
)

// A record is a packet as described by the kernel.
type record struct {
	bytes     []byte // starts with its header
	address   uint32 // offset of its struct sockaddr_ll
	start     uint32 // offset of the frame
	network   uint32 // offset of the data after the link header
	captured  uint32 // captured bytes of the frame
	wire      uint32 // bytes of the original frame
	status    uint32 // TP_STATUS_ bits
	sec, nsec uint32
	tci, tpid uint16 // of the stripped VLAN tag, if status says so
}

// A view has the rules for views of packets, and counters.
type view struct {
	snap     uint32
	linkType uint16
	header   header
	room     uint32 // bytes that may be written before the frame
	strip    bool   // omit the VLAN tag

	truncated uint64 // packets with bytes missing
	broken    uint64 // packets that could not be read
	longest   uint32 // maximum frame length
}

func newView(o options, l linkType) view {
	return view{
		snap:     uint32(o.snap),
		linkType: l.dlt,
		header:   l.header,
		room:     l.header.room(),
		strip:    o.stripVLAN || l.header == asIs, // no header to hold a tag
	}
}

// see makes p a view of r. It reports whether the record's lengths are
// consistent; if not, the packet counts as broken.
func (v *view) see(r *record, p *drivers.Packet) bool {
	body := r.start // end of a header that is written here
	if v.header >= cooked {
		body = r.payload()
	}
	captured, wire := r.captured, r.wire
	end := uint64(r.start) + uint64(captured)
	if body < r.address+unix.SizeofSockaddrLinklayer+v.room || uint64(body) > end || end > uint64(len(r.bytes)) ||
		captured > wire || wire > math.MaxInt32 {
		v.broken++
		return false
	}
	v.longest = max(v.longest, wire)
	flags := packetFlags(r.status, r.bytes[r.address+addressType])
	start := r.start
	tagged := r.status&unix.TP_STATUS_VLAN_VALID != 0 && !v.strip
	if tagged {
		flags |= pkt.VLANRestored
	}
	if tagged || v.header >= cooked {
		start = v.header.complete(r, body, tagged)
		captured += r.start - start
		wire += r.start - start
	}
	captured = min(captured, v.snap)
	if captured < wire {
		flags |= pkt.Truncated
		v.truncated++
	}
	// Field by field: an assignment of a whole Packet would build it elsewhere
	// and copy it.
	p.TS = pkt.TS(uint64(r.sec), uint64(r.nsec))
	p.Color = 0
	p.Link = r.bytes[start : start+captured : start+captured]
	p.Wire = wire
	p.IfIndex = 0
	p.LinkType = v.linkType
	p.Dev = nil
	p.Flags = flags
	return true
}

func packetFlags(status uint32, pkttype byte) (f pkt.Flags) {
	if pkttype == unix.PACKET_OUTGOING {
		f |= pkt.Outgoing
	}
	if status&unix.TP_STATUS_CSUMNOTREADY != 0 {
		f |= pkt.CsumNotReady
	}
	// The card timestamps only some packets, even if it was told to do so for
	// all; the others have the kernel's time.
	if status&unix.TP_STATUS_TS_RAW_HARDWARE != 0 {
		f |= pkt.HWTimestamp
	}
	return f
}
