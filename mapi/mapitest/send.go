package mapitest

import (
	"cmp"
	"iter"
	"math"
	"time"

	"gomapi/drivers"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
)

// A Packet is a frame as received from the network.
type Packet struct {
	// Time is the timestamp, with a precision of about a nanosecond. The zero
	// value means the time of sending. A flow ignores packets from before its
	// Connect, so earlier times are for packets that it must not see.
	Time time.Time
	// Data are the captured bytes, starting with the link-layer header. The
	// call uses them until it returns.
	Data []byte
	// Wire is the length on the wire if the capture truncated the packet; 0
	// means the length of Data.
	Wire int
}

// Send passes packets to the daemon and returns when it has handled them:
// counters have counted them, packet buffers and file queues contain them. If a
// packet is invalid (7001), Send sends none and names the packet.
func (d *Device) Send(packets ...Packet) error {
	if d.unknown != nil {
		return d.unknown
	}
	views := make([]drivers.Packet, len(packets))
	for i := range packets {
		v, err := d.view(i+1, packets[i])
		if err != nil {
			return err
		}
		views[i] = v
	}
	return d.hand(views)
}

// hand sends views in batches like a driver.
func (d *Device) hand(views []drivers.Packet) error {
	for len(views) > 0 {
		n := min(len(views), drivers.MaxBatch)
		if err := d.source.Send(views[:n]...); err != nil {
			return err
		}
		views = views[n:]
	}
	return nil
}

// batchBytes is the maximum size of an iterator's packets before they are sent.
const batchBytes = 1 << 20

// SendAll sends the packets that packets yields, at full speed, in batches of
// up to 256; while the iterator pauses, the last packets are not sent yet.
// SendAll uses the Data of a packet until the iterator continues. It stops at
// the first error, see Send; packets before an invalid one have been sent.
func (d *Device) SendAll(packets iter.Seq[Packet]) error {
	if d.unknown != nil {
		return d.unknown
	}
	views := make([]drivers.Packet, 0, drivers.MaxBatch)
	var bytes []byte
	n := 0
	for p := range packets {
		n++
		v, err := d.view(n, p)
		if err != nil {
			return cmp.Or(d.hand(views), err)
		}
		bytes = append(bytes, p.Data...)
		end := len(bytes)
		v.Link = bytes[end-len(p.Data) : end : end]
		views = append(views, v)
		if len(views) == drivers.MaxBatch || len(bytes) >= batchBytes {
			if err := d.hand(views); err != nil {
				return err
			}
			views, bytes = views[:0], bytes[:0]
		}
	}
	return d.hand(views)
}

// view checks the nth packet of a call, counted from 1, and returns a driver's
// view of it.
func (d *Device) view(n int, p Packet) (v drivers.Packet, err error) {
	if p.Time.IsZero() {
		p.Time = time.Now()
	}
	if p.Wire == 0 {
		p.Wire = len(p.Data)
	}
	sec := p.Time.Unix()
	switch {
	case len(p.Data) > drivers.MaxSnap:
		return v, d.impossible(n, "%d bytes of data, the maximum is %d", len(p.Data), drivers.MaxSnap)
	case p.Wire < len(p.Data) || p.Wire > math.MaxUint32:
		return v, d.impossible(n, "%d bytes on the wire with %d bytes of data", p.Wire, len(p.Data))
	case sec < 0 || sec > math.MaxUint32:
		return v, d.impossible(n, "the timestamp %v, which is invalid", p.Time)
	}
	v = drivers.Packet{TS: pkt.FromTime(p.Time), Link: p.Data, Wire: uint32(p.Wire), LinkType: d.linkType}
	if p.Wire > len(p.Data) {
		v.Flags |= pkt.Truncated
	}
	return v, nil
}

func (d *Device) impossible(n int, format string, args ...any) error {
	return mapierr.New(mapierr.InvalidArgument1, "device %s: packet %d has "+format, append([]any{d.name, n}, args...)...)
}
