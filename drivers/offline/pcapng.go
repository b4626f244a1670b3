package offline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"gomapi/drivers"
	"gomapi/internal/pkt"
)

const maxInterfaces = 1 << 16 // pkt.Packet numbers interfaces with 16 bits

// pcapngReader decodes a pcapng file. Byte order and interfaces are those of
// the current section.
type pcapngReader struct {
	order   order
	ifs     []iface
	first   uint16         // link type of the file's first interface
	skipped *atomic.Uint64 // blocks that neither carry nor describe packets
}

// readHead reads up to and including the first interface description. It
// accepts the end of a file without packets.
func (r *pcapngReader) readHead(ctx context.Context, w *window) error {
	r.first = dltEthernet
	for w.offset() < maxRecord && ctx.Err() == nil {
		blk, size, err := r.next(w.unread())
		switch {
		case err != nil:
			return err
		case size > len(w.unread()):
			if err := r.more(w, size); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			continue
		case blk.isPacket():
			return errors.New("a packet comes before the first interface description")
		}
		if err := r.control(blk); err != nil {
			return err
		}
		w.advance(size)
		if len(r.ifs) > 0 {
			r.first = r.ifs[0].linkType
			r.describeMore(w)
			w.moveToFront() // Run may be called much later
			return nil
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return fmt.Errorf("no interface description in the first %d bytes", maxRecord)
}

// describeMore reads further interface descriptions in the window, up to the
// first packet, for Info. If one is damaged, Run reads it again and reports the
// error.
func (r *pcapngReader) describeMore(w *window) {
	const most = 256
	for len(r.ifs) < most {
		blk, size, err := r.next(w.unread())
		if err != nil || size > len(w.unread()) || blk.isPacket() || blk.kind == blockSection || r.control(blk) != nil {
			return
		}
		w.advance(size)
	}
}

func (r *pcapngReader) info() drivers.Info {
	// Interfaces described later may capture more bytes than the first.
	return drivers.Info{DevType: drivers.TypeNIC, LinkType: r.first, LinkTypes: r.likely(), Snap: drivers.MaxSnap, Unordered: true}
}

// likely returns the link types of the interfaces described so far, and
// Ethernet, the most likely type of later ones.
func (r *pcapngReader) likely() []uint16 {
	const most = 16 // each may cost a compilation of a rejected filter
	types := []uint16{r.first}
	for _, in := range r.ifs {
		if len(types) < most && !slices.Contains(types, in.linkType) {
			types = append(types, in.linkType)
		}
	}
	if !slices.Contains(types, dltEthernet) {
		types = append(types, dltEthernet)
	}
	return types
}

func (r *pcapngReader) decode(b []byte, pkts []pkt.Packet) (n, used, need int, err error) {
	for n < len(pkts) {
		blk, size, err := r.next(b[used:])
		if err != nil {
			return n, used, 0, err
		}
		if size > len(b)-used {
			return n, used, size, nil
		}
		if blk.isPacket() {
			if err := r.read(blk, &pkts[n]); err != nil {
				return n, used, 0, err
			}
			n++
		} else if err := r.control(blk); err != nil {
			return n, used, 0, err
		}
		used += size
	}
	return n, used, 0, nil
}

// more reads past a large block that neither carries nor describes packets. It
// checks only the two lengths of the block.
func (r *pcapngReader) more(w *window, need int) error {
	if need <= windowSize || r.matters(w.unread()) {
		return w.fill(need)
	}
	if err := w.skip(need - blockTail); err != nil {
		return err
	}
	if err := w.fill(blockTail); err != nil {
		return err
	}
	if err := checkTail(r.order, w.unread(), uint32(need)); err != nil {
		return err
	}
	w.advance(blockTail)
	r.skipped.Add(1)
	return nil
}

// control handles a block that carries no packet.
func (r *pcapngReader) control(blk block) error {
	switch blk.kind {
	case blockSection:
		return r.section(blk.body)
	case blockInterface:
		return r.describe(blk.body)
	}
	r.skipped.Add(1)
	return nil
}

// section starts a section: its byte order, and no interfaces yet.
func (r *pcapngReader) section(body []byte) error {
	if len(body) < sectionHead {
		return errShortBlock
	}
	o, err := orderOf(body)
	if err != nil {
		return err
	}
	major, minor := o.u16(body[4:]), o.u16(body[6:])
	if major != 1 || minor != 0 && minor != 2 {
		return fmt.Errorf("unsupported pcapng version %d.%d: expected 1.0", major, minor)
	}
	r.order, r.ifs = o, r.ifs[:0]
	return nil
}

// describe adds an interface to the section.
func (r *pcapngReader) describe(body []byte) error {
	if len(r.ifs) == maxInterfaces {
		return fmt.Errorf("more than %d interfaces in one section", maxInterfaces)
	}
	in, err := newIface(r.order, body)
	if err != nil {
		return fmt.Errorf("interface description: %w", err)
	}
	r.ifs = append(r.ifs, in)
	return nil
}

// read makes p the packet of blk.
func (r *pcapngReader) read(blk block, p *pkt.Packet) error {
	switch {
	case blk.kind == blockSimple:
		return r.simple(blk.body, p)
	case len(blk.body) < enhancedHead:
		return errShortBlock
	case blk.kind == blockEnhanced:
		return r.enhanced(r.order.u32(blk.body), blk.body, p)
	}
	// The first word of the obsolete block differs: interface, drops.
	return r.enhanced(uint32(r.order.u16(blk.body)), blk.body, p)
}

// enhanced makes p the packet of interface id. body holds at least the fixed
// part.
func (r *pcapngReader) enhanced(id uint32, body []byte, p *pkt.Packet) error {
	if uint64(id) >= uint64(len(r.ifs)) {
		return fmt.Errorf("packet of interface %d, which has no description before the packet", id)
	}
	in := &r.ifs[id]
	ticks := uint64(r.order.u32(body[4:]))<<32 | uint64(r.order.u32(body[8:]))
	capture, wire, data := r.order.u32(body[12:]), r.order.u32(body[16:]), body[enhancedHead:]
	if err := in.check(capture, data); err != nil {
		return err
	}
	in.set(p, data[:capture:capture], wire)
	ts, flags := in.time(ticks)
	p.TS, p.IfIndex = ts, uint16(id)
	p.Flags |= flags
	if pad := (int(capture) + 3) &^ 3; len(data) > pad {
		p.Flags |= direction(r.order, data[pad:])
	}
	return nil
}

// simple makes p the packet of a simple packet block: no time, interface 0, and
// as many bytes as the snapshot length allows.
func (r *pcapngReader) simple(body []byte, p *pkt.Packet) error {
	if len(body) < simpleHead {
		return errShortBlock
	}
	if len(r.ifs) == 0 {
		return errors.New("packet of interface 0, which has no description before the packet")
	}
	in := &r.ifs[0]
	wire, data := r.order.u32(body), body[simpleHead:]
	capture := min(wire, in.snap)
	if err := in.check(capture, data); err != nil {
		return err
	}
	in.set(p, data[:capture:capture], wire)
	return nil
}
