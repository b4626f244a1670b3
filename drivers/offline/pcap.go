package offline

import (
	"fmt"
	"math"

	"gomapi/drivers"
	"gomapi/internal/pkt"
)

// The file header (pcap-savefile(5)): offsets and size in bytes.
const (
	pcapMajor    = 4
	pcapMinor    = 6
	pcapSnap     = 16
	pcapLinkType = 20
	pcapFileHead = 24
)

// A record header: offsets and sizes in bytes. The long form is Kuznetzov's,
// with interface, protocol and packet type after the lengths.
const (
	recSeconds  = 0
	recFraction = 4
	recCapture  = 8
	recWire     = 12
	recHead     = 16
	recHeadLong = 24
)

// linkReserved are the bits of the link type field that must be 0. The bits
// below are the type, the bits above the length of the frame check sequence. As
// with libpcap, the captured part of the sequence belongs to the packet.
const linkReserved = 0x03ff0000

// magic is the information in the first four bytes of a pcap file.
type magic struct {
	order    order
	fraction uint64 // unit of the timestamp's fraction, ns
	head     int    // length of a record header, bytes
}

func magicOf(head []byte) (magic, bool) {
	for _, o := range []order{false, true} {
		switch o.u32(head) {
		case 0xa1b2c3d4:
			return magic{o, 1000, recHead}, true
		case 0xa1b23c4d:
			return magic{o, 1, recHead}, true
		case 0xa1b2cd34:
			return magic{o, 1000, recHeadLong}, true
		}
	}
	return magic{}, false
}

// lengths is the order of the two lengths of a record.
type lengths uint8

const (
	captureFirst lengths = iota
	wireFirst            // before version 2.3, and 543.0 of DG/UX
	largerIsWire         // version 2.3, for which writers used both orders
)

// pcapReader decodes a pcap file.
type pcapReader struct {
	magic
	lengths  lengths
	linkType uint16
	snap     uint32 // longer captures are truncated to it
	limit    uint32 // longer captures are damage
	swap     bool   // the frames' address family is in foreign byte order
}

// newPcapReader reads the file header. It accepts the same versions and link
// type bits as libpcap (sf-pcap.c).
func newPcapReader(head []byte) (*pcapReader, error) {
	m, _ := magicOf(head)
	if len(head) < pcapFileHead {
		return nil, fmt.Errorf("the pcap file header is truncated: %d of %d bytes", len(head), pcapFileHead)
	}
	r := &pcapReader{magic: m}
	if err := r.setVersion(m.order.u16(head[pcapMajor:]), m.order.u16(head[pcapMinor:])); err != nil {
		return nil, err
	}
	if err := r.setLinkType(m.order.u32(head[pcapLinkType:])); err != nil {
		return nil, err
	}
	r.limit = maxCapture(r.linkType)
	r.snap = snapOf(m.order.u32(head[pcapSnap:]), r.linkType)
	if m.head == recHeadLong && r.linkType == dltEthernet {
		// Such captures may contain an artificial Ethernet header in addition
		// to the snapshot.
		r.snap = min(r.snap+14, math.MaxInt32)
	}
	r.snap = min(r.snap, drivers.MaxSnap)
	return r, nil
}

func (r *pcapReader) setVersion(major, minor uint16) error {
	switch {
	case major == 2 && minor < 3, major == 543 && minor == 0:
		r.lengths = wireFirst
	case major == 2 && minor == 3:
		r.lengths = largerIsWire
	case major == 2 && minor == 4:
		r.lengths = captureFirst
	default:
		return fmt.Errorf("unsupported pcap version %d.%d: expected 2.0 to 2.4; convert it with editcap", major, minor)
	}
	return nil
}

func (r *pcapReader) setLinkType(field uint32) error {
	if field&linkReserved != 0 {
		return fmt.Errorf("the reserved bits of the link type are not zero (%#x): the file header is damaged", field)
	}
	r.linkType = pkt.DLTOfFile(uint16(field))
	r.swap = r.order.foreign() && hostOrderFamily(r.linkType)
	return nil
}

func (r *pcapReader) info() drivers.Info {
	return drivers.Info{DevType: drivers.TypeNIC, LinkType: r.linkType, Snap: int(min(r.snap, r.limit)), Unordered: true}
}

func (r *pcapReader) more(w *window, need int) error { return w.fill(need) }

func (r *pcapReader) decode(b []byte, pkts []pkt.Packet) (n, used, need int, err error) {
	for n < len(pkts) {
		rec := b[used:]
		if len(rec) < r.head {
			need = r.head
			break
		}
		capture, wire := r.order.u32(rec[recCapture:]), r.order.u32(rec[recWire:])
		if r.lengths == wireFirst || r.lengths == largerIsWire && capture > wire {
			capture, wire = wire, capture
		}
		if capture > r.limit {
			err = fmt.Errorf("captured length %d exceeds the maximum of %d bytes for its link type", capture, r.limit)
			break
		}
		end := r.head + int(capture)
		if len(rec) < end {
			need = end
			break
		}
		sec, frac := uint64(r.order.u32(rec[recSeconds:])), uint64(r.order.u32(rec[recFraction:]))
		kept := min(capture, r.snap)
		linkEnd := r.head + int(kept)
		p := &pkts[n] // field by field: a literal would be built elsewhere and copied
		p.TS, p.Color = pkt.TS(sec, frac*r.fraction), 0
		p.Link, p.Dev = rec[r.head:linkEnd:linkEnd], nil
		p.Wire, p.IfIndex, p.LinkType = wire, 0, r.linkType
		p.Flags = cutFlag(kept, wire)
		if p.TS == pkt.Latest {
			p.Flags |= pkt.OutOfTime
		}
		used += end
		n++
	}
	if r.swap {
		for i := range pkts[:n] {
			swapFamily(pkts[i].Link)
		}
	}
	return n, used, need, err
}

// cutFlag is pkt.Truncated if the captured length is less than the original
// length.
func cutFlag(capture, wire uint32) pkt.Flags {
	if capture < wire {
		return pkt.Truncated
	}
	return 0
}
