package mapi

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"time"

	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
	"gomapi/internal/ring"
)

// WaitMode is the argument of TO_BUFFER.
type WaitMode int

// How readers of TO_BUFFER wait for packets.
const (
	Wait   WaitMode = 0 // GetNextPkt and Next wait for a packet; the default
	NoWait WaitMode = 1 // GetNextPkt returns nil if there is none
)

func (m WaitMode) String() string {
	return word(map[WaitMode]string{Wait: "wait", NoWait: "no wait"}, "mode", m)
}

// A Packet is a captured packet. Its bytes are in memory that the daemon shares
// with the program, read-only (a write faults). They are valid until the next
// packet is taken from the same function, or until its flow is closed: then the
// daemon takes the memory back, and the bytes become 0. Clone copies them.
type Packet struct {
	TS       uint64 // 2^-32 seconds since 1970-01-01 UTC: seconds in the upper half
	IfIndex  uint16 // interface or port number; 0 if there is only one
	LinkType uint16 // link type of Data: 1 Ethernet, and so on (DLT numbers of libpcap)
	Wlen     uint32 // length on the wire in bytes
	Data     []byte // captured bytes, starting with the link-layer header
}

// Time is TS as a time.Time, to the nanosecond.
func (p *Packet) Time() time.Time { return pkt.Time(p.TS) }

// Clone returns a copy of the packet that owns its bytes.
func (p *Packet) Clone() *Packet {
	c := *p
	c.Data = append([]byte(nil), p.Data...)
	return &c
}

// buffer is the reader's side of a function's packet buffer.
type buffer struct {
	*ring.Reader
	noWait bool
	entry  int    // size in bytes of a series entry; 0: packets
	packet Packet // the packet taken last

	// State of the reader: another buffer for which the daemon waits, if any,
	// its position, and since when.
	suspect  *Function
	position uint64
	since    time.Time
}

// openBuffer opens the packet buffer of the response.
func (fn *Function) openBuffer(args []any, entry int, files []*os.File) error {
	r, err := ring.Open(files...)
	if err != nil {
		return mapierr.Wrap(ErrNoResult, "packet buffer", err)
	}
	fn.buffer = &buffer{Reader: r, entry: entry}
	if entry == 0 && len(args) > 0 {
		v, err := value(args[0])
		fn.buffer.noWait = err == nil && v.GetInt() == int64(NoWait)
	}
	r.Idle = fn.blocked
	fn.flow.link.mu.Lock()
	fn.flow.buffers = append(fn.flow.buffers, fn)
	fn.flow.link.mu.Unlock()
	if fn.flow.closed.Load() { // meanwhile
		r.Close()
	}
	return nil
}

// Close ends reading from the packet buffer, if there is one. Packets taken
// before remain readable until the flow is closed, which also does this.
func (fn *Function) Close() error {
	if fn.buffer != nil {
		fn.buffer.Reader.Close()
	}
	return nil
}

// Next returns the next packet of TO_BUFFER and waits for it. Only one
// goroutine at a time may take packets of a function; different functions may
// be used concurrently. The packet and its bytes are valid until the next call, or
// until the flow is closed.
// The error is io.EOF when the device has ended and all packets were taken.
// Other errors: 6148 another goroutine is taking packets, or the daemon has
// waited for a second for room in another buffer of the same capture file, from
// which nobody takes packets; 6143 the flow is not connected, 6145 it is
// closed, 6146 the function is not a packet buffer, 5123 the daemon is gone,
// 9000 ctx has ended.
func (fn *Function) Next(ctx context.Context) (*Packet, error) {
	if err := fn.takeable(); err != nil {
		return nil, fn.failPacket(err)
	}
	p, err := fn.buffer.Next(ctx)
	if err != nil {
		return nil, fn.failPacket(fn.bufferError(ctx, err))
	}
	return fn.take(p), nil
}

// TryNext is Next without waiting: if there is no packet now, it returns nil
// and no error.
func (fn *Function) TryNext() (*Packet, error) {
	if err := fn.takeable(); err != nil {
		return nil, fn.failPacket(err)
	}
	p, ok, err := fn.buffer.TryNext()
	switch {
	case err != nil:
		return nil, fn.failPacket(fn.bufferError(context.Background(), err))
	case !ok && fn.flow.link.err() != nil:
		return nil, fn.failPacket(fn.flow.link.err())
	case !ok:
		return nil, nil
	}
	return fn.take(p), nil
}

// Packets returns the packets of TO_BUFFER as they arrive, until the device
// ends. If there is an error, the last pair carries it.
func (fn *Function) Packets(ctx context.Context) iter.Seq2[*Packet, error] {
	return func(yield func(*Packet, error) bool) {
		for {
			p, err := fn.Next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// Lost returns how many packets this buffer has lost because they were not
// taken in time or are too large, or how many entries of a series or records
// were not read in time. It makes no system call.
func (fn *Function) Lost() (uint64, error) {
	if fn.buffer == nil {
		return 0, fn.failPacket(fn.noBuffer())
	}
	return fn.buffer.Lost(), nil
}

// take stores a packet so that its caller can point to it.
func (fn *Function) take(p ring.Packet) *Packet {
	fn.buffer.packet = Packet(p)
	return &fn.buffer.packet
}

// takeable returns why no packet can be taken, nil if one can.
func (fn *Function) takeable() error {
	if err := fn.started(); err != nil {
		return err
	}
	if fn.Kind() != KindPackets {
		return fn.noBuffer()
	}
	return nil
}

func (fn *Function) noBuffer() error {
	return mapierr.New(ErrNoResult, "%s is not a packet buffer: apply TO_BUFFER", fn.name)
}

// bufferError adds a number to an error of the buffer.
func (fn *Function) bufferError(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return io.EOF
	case ctx.Err() != nil:
		return gaveUp("gave up waiting", ctx)
	case fn.flow.closed.Load():
		return errClosed(fn.flow.fd)
	case fn.flow.link.err() != nil:
		return fn.flow.link.err()
	case mapierr.CodeOf(err, 0) != 0:
		return err
	case errors.Is(err, ring.ErrGone):
		return mapierr.Wrap(ErrCommSocket, "packet buffer", err)
	}
	return mapierr.Wrap(ErrReaderSem, "packet buffer", err)
}

// standstill is how long another buffer of a capture file may block the daemon
// before a reader gives up. A goroutine that actually reads the other buffer
// takes packets much sooner.
const standstill = time.Second

// blocked returns an error if a wait for a packet would never end: the daemon
// reads a capture file once for all flows, and waits for room in another buffer
// from which nobody takes packets.
func (fn *Function) blocked() (again time.Duration, err error) {
	b, other := fn.buffer, fn.awaited()
	if other == nil {
		b.suspect = nil
		return 0, nil
	}
	if at := other.buffer.Position(); b.suspect != other || b.position != at {
		b.suspect, b.position, b.since = other, at, time.Now()
	}
	if left := standstill - time.Since(b.since); left > 0 {
		return left, nil
	}
	return 0, mapierr.New(ErrReaderSem, "no packet can arrive: mapid waits until packets of function %d of flow %d are taken",
		other.fid, other.flow.fd)
}

// awaited returns another buffer of the device for which the daemon waits.
func (fn *Function) awaited() *Function {
	l := fn.flow.link
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := range l.open {
		if f.device != fn.flow.device {
			continue
		}
		for _, other := range f.buffers {
			if other != fn && other.buffer.Awaited() {
				return other
			}
		}
	}
	return nil
}

func (fn *Function) failPacket(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return fn.flow.client.fail(err, "packet of function %d (%s) of flow %d", fn.fid, fn.name, fn.flow.fd)
}
