package mapitest

import (
	"iter"
	"math"
	"time"

	"gomapi/drivers"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
)

// A Packet is a frame as it comes from the network.
type Packet struct {
	// Time is the time stamp, to about a nanosecond. The zero value stands for
	// the moment of sending. A flow sees no packets from before its Connect, so
	// earlier times are for packets that are to be left out.
	Time time.Time
	// Data are the captured bytes, from the link-layer header on. They are
	// borrowed until the call returns.
	Data []byte
	// Wire is the length on the wire when the capture cut the packet; 0 stands
	// for the length of Data.
	Wire int
}

// Send hands packets to the daemon and returns when it has dealt with them:
// counters have counted them, packet buffers and queues of files hold them. When
// one is impossible (7001) it sends none.
func (d *Device) Send(packets ...Packet) error {
	if d.unknown != nil {
		return d.unknown
	}
	views := make([]drivers.Packet, len(packets))
	for i := range packets {
		v, err := d.view(packets[i])
		if err != nil {
			return err
		}
		views[i] = v
	}
	return d.hand(views)
}

// hand sends views in batches as a driver does.
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

// batchBytes is how much an iterator's packets may take up before they are sent.
const batchBytes = 1 << 20

// SendAll sends what packets yields, as fast as it does, in batches of up to 256:
// an iterator that pauses holds back the last ones. Data of a packet is borrowed
// until the iterator goes on. At the first error, see Send, SendAll stops.
func (d *Device) SendAll(packets iter.Seq[Packet]) error {
	if d.unknown != nil {
		return d.unknown
	}
	views := make([]drivers.Packet, 0, drivers.MaxBatch)
	var bytes []byte
	for p := range packets {
		v, err := d.view(p)
		if err != nil {
			return err
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

// view checks a packet and shows it as a driver does.
func (d *Device) view(p Packet) (v drivers.Packet, err error) {
	if p.Time.IsZero() {
		p.Time = time.Now()
	}
	if p.Wire == 0 {
		p.Wire = len(p.Data)
	}
	sec := p.Time.Unix()
	switch {
	case len(p.Data) > drivers.MaxSnap:
		return v, d.impossible("%d bytes of data, %d are captured at most", len(p.Data), drivers.MaxSnap)
	case p.Wire < len(p.Data) || p.Wire > math.MaxUint32:
		return v, d.impossible("%d bytes on the wire with %d bytes of data", p.Wire, len(p.Data))
	case sec < 0 || sec > math.MaxUint32:
		return v, d.impossible("time stamp %v, which no packet can have", p.Time)
	}
	v = drivers.Packet{TS: pkt.FromTime(p.Time), Link: p.Data, Wire: uint32(p.Wire), LinkType: d.linkType}
	if p.Wire > len(p.Data) {
		v.Flags |= pkt.Truncated
	}
	return v, nil
}

func (d *Device) impossible(format string, args ...any) error {
	return mapierr.New(mapierr.InvalidArgument1, "device "+d.name+": packet of "+format, args...)
}
