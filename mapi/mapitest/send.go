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
// one is impossible (7001) it sends none and says which one that is.
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
// until the iterator goes on. At the first error, see Send, SendAll stops; packets
// before an impossible one have been sent.
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

// view checks the nth packet of a call, from 1, and shows it as a driver does.
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
		return v, d.impossible(n, "%d bytes of data, %d are captured at most", len(p.Data), drivers.MaxSnap)
	case p.Wire < len(p.Data) || p.Wire > math.MaxUint32:
		return v, d.impossible(n, "%d bytes on the wire with %d bytes of data", p.Wire, len(p.Data))
	case sec < 0 || sec > math.MaxUint32:
		return v, d.impossible(n, "the time stamp %v, which is impossible", p.Time)
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
