package offline

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"gomapi/drivers"
	"gomapi/internal/pkt"
)

// Options (draft-ietf-opsawg-pcapng, sections 3.5, 4.2 and 4.3).
const (
	optEnd        = 0
	optHead       = 4 // code, length of the value
	optResolution = 9
	optOffset     = 14
	optFlags      = 2 // of a packet

	packetDirection = 0x3
	packetOutbound  = 0x2
)

// iface is an interface of a section.
type iface struct {
	resolution uint64 // ticks of a timestamp per second
	offset     int64  // added to timestamps, seconds
	snap       uint32 // a longer capture is damage
	linkType   uint16
	swap       bool // the frames' address family is in foreign byte order
}

func newIface(o order, body []byte) (iface, error) {
	if len(body) < interfaceHead {
		return iface{}, errShortBlock
	}
	dlt := pkt.DLTOfFile(o.u16(body))
	in := iface{
		resolution: 1e6,
		linkType:   dlt,
		snap:       snapOf(o.u32(body[4:]), dlt),
		swap:       o.foreign() && hostOrderFamily(dlt),
	}
	seen := [optOffset + 1]bool{}
	for opts := body[interfaceHead:]; len(opts) > 0; {
		code, value, rest, err := nextOption(o, opts)
		if err != nil || code == optEnd {
			return in, err
		}
		if int(code) < len(seen) {
			if err := in.option(o, code, value, seen[code]); err != nil {
				return in, err
			}
			seen[code] = true
		}
		opts = rest
	}
	return in, nil
}

// nextOption returns the first option of opts, which is not empty.
func nextOption(o order, opts []byte) (code uint16, value, rest []byte, err error) {
	if len(opts) < optHead {
		return 0, nil, nil, errors.New("an option is truncated")
	}
	code, size := o.u16(opts), int(o.u16(opts[2:]))
	padded := (size + 3) &^ 3
	opts = opts[optHead:]
	if padded > len(opts) {
		return 0, nil, nil, fmt.Errorf("option %d of %d bytes exceeds its block", code, size)
	}
	if code == optEnd && size != 0 {
		return 0, nil, nil, fmt.Errorf("end of options with length %d", size)
	}
	return code, opts[:size], opts[padded:], nil
}

// option stores an option that matters for packets. Like libpcap it rejects a
// malformed or repeated timestamp option, because the times would be guesses.
func (in *iface) option(o order, code uint16, value []byte, again bool) error {
	want := 0
	switch code {
	case optResolution:
		want = 1
	case optOffset:
		want = 8
	default:
		return nil
	}
	if again || len(value) != want {
		return fmt.Errorf("time stamp option %d of %d bytes: expected one of %d", code, len(value), want)
	}
	if code == optOffset {
		in.offset = int64(o.u64(value))
		return nil
	}
	return in.setResolution(value[0])
}

// setResolution stores if_tsresol: a negative power of 2 if the top bit is set,
// else of 10.
func (in *iface) setResolution(v byte) error {
	exp := v & 0x7f
	switch {
	case v != exp && exp < 64:
		in.resolution = 1 << exp
		return nil
	case v == exp && exp < 20:
		in.resolution = 1
		for range exp {
			in.resolution *= 10
		}
		return nil
	}
	return fmt.Errorf("time stamp resolution %#x is too fine: at most 10^-19 or 2^-63 s", v)
}

// time converts ticks to a timestamp, rounded up as in pkt.TS. A time that 32
// bits of seconds cannot hold becomes the first or last possible timestamp,
// with a flag.
func (in *iface) time(ticks uint64) (uint64, pkt.Flags) {
	var sec, frac uint64
	switch in.resolution { // constants for the two usual ones: a division costs ten times more
	case 1e6:
		sec, frac = ticks/1e6, (ticks%1e6<<32+1e6-1)/1e6
	case 1e9:
		sec, frac = ticks/1e9, (ticks%1e9<<32+1e9-1)/1e9
	default:
		sec, frac = in.split(ticks)
	}
	if in.offset < 0 {
		if sec < -uint64(in.offset) {
			return 0, pkt.OutOfTime
		}
		sec += uint64(in.offset)
	} else {
		sec += min(uint64(in.offset), math.MaxUint64-sec)
	}
	if sec > math.MaxUint32 {
		return pkt.Latest, pkt.OutOfTime
	}
	return sec<<32 | frac, 0
}

// split is time for resolutions without a constant. If the clock is finer than
// timestamps, the last ticks of a second are rounded up to the next second.
func (in *iface) split(ticks uint64) (sec, frac uint64) {
	sec, rem := ticks/in.resolution, ticks%in.resolution
	frac, left := bits.Div64(rem>>32, rem<<32, in.resolution)
	if left > 0 {
		frac++
	}
	return sec + frac>>32, frac & math.MaxUint32
}

// check checks that data can hold a packet of capture bytes. Like libpcap it
// treats captures longer than the interface's snapshot length as damage.
func (in *iface) check(capture uint32, data []byte) error {
	if capture > in.snap {
		return fmt.Errorf("captured length %d exceeds the interface's snapshot length %d", capture, in.snap)
	}
	if uint64(capture) > uint64(len(data)) {
		return fmt.Errorf("captured length %d, but its block has room for %d", capture, len(data))
	}
	return nil
}

// set makes p a packet with these bytes and no time.
func (in *iface) set(p *pkt.Packet, link []byte, wire uint32) {
	if len(link) > drivers.MaxSnap {
		link = link[:drivers.MaxSnap:drivers.MaxSnap]
	}
	p.TS, p.Color = 0, 0
	p.Link, p.Dev = link, nil
	p.Wire, p.IfIndex, p.LinkType = wire, 0, in.linkType
	p.Flags = cutFlag(uint32(len(link)), wire)
	if in.swap {
		swapFamily(link)
	}
}

// direction reads the direction from a packet's options. If an option is
// malformed, only the direction is lost: the packet itself is intact.
func direction(o order, opts []byte) pkt.Flags {
	for len(opts) > 0 {
		code, value, rest, err := nextOption(o, opts)
		if err != nil || code == optEnd {
			return 0
		}
		if code == optFlags && len(value) == 4 {
			if o.u32(value)&packetDirection == packetOutbound {
				return pkt.Outgoing
			}
			return 0
		}
		opts = rest
	}
	return 0
}
