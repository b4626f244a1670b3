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

// How TO_BUFFER lets its reader wait for packets.
const (
	Wait   WaitMode = 0 // GetNextPkt and Next wait until there is one; also when left out
	NoWait WaitMode = 1 // GetNextPkt gives nil when there is none
)

func (m WaitMode) String() string {
	return word(map[WaitMode]string{Wait: "wait", NoWait: "no wait"}, "mode", m)
}

// A Packet is a captured packet. Its bytes lie in memory that the daemon shares
// with the program, read-only (a write faults): they are valid until the next
// packet is taken from the same function. Clone keeps them.
type Packet struct {
	TS       uint64 // 2^-32 seconds since 1970-01-01 UTC: seconds in the upper half
	IfIndex  uint16 // interface or port number, 0 when there is one only
	LinkType uint16 // what Data begins with: 1 Ethernet, and so on (DLT numbers of libpcap)
	Wlen     uint32 // length on the wire in bytes
	Data     []byte // captured bytes, from the link-layer header on
}

// Time is TS as a time.Time, to the nanosecond.
func (p *Packet) Time() time.Time { return pkt.Time(p.TS) }

// Clone returns a copy of the packet with bytes of its own.
func (p *Packet) Clone() *Packet {
	c := *p
	c.Data = append([]byte(nil), p.Data...)
	return &c
}

// buffer is a function's packet buffer as its reader sees it.
type buffer struct {
	*ring.Reader
	noWait bool
	entry  int    // bytes of an entry, if it is a series; 0: packets
	packet Packet // the one that was taken last

	// What stands in the way of the next packet, if anything: a buffer for which
	// the daemon waits, with its position, and since when. For the reader.
	suspect  *Function
	position uint64
	since    time.Time
}

// openBuffer opens the packet buffer that came with the answer.
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

// Close releases the packet buffer, if there is one. Packets taken before stay
// readable. The flow closes it too.
func (fn *Function) Close() error {
	if fn.buffer != nil {
		fn.buffer.Reader.Close()
	}
	return nil
}

// Next returns the next packet of TO_BUFFER, which it waits for. One goroutine
// at a time may take packets of a function; others may take those of other
// functions. The packet and its bytes are valid until the next call. The error
// is io.EOF when the device has ended and all packets were taken; 6148 when
// another goroutine is taking packets, or when the daemon has waited for a second
// for room in another buffer of the same capture file, of which nobody takes
// packets; 6143
// the flow is not connected, 6145 it is closed, 6146 the function is no packet
// buffer, 5123 the daemon is gone, 9000 ctx has ended.
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

// TryNext is Next without waiting: it returns nil and no error when there is no
// packet now.
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

// Packets returns the packets of TO_BUFFER as they come, until the device ends.
// The last pair carries the error, if there was one.
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

// Lost returns how many packets were lost for this buffer because they were not
// taken in time or are too large for it, or how many entries of a series were not
// read in time. It costs no system call.
func (fn *Function) Lost() (uint64, error) {
	if fn.buffer == nil {
		return 0, fn.failPacket(fn.noBuffer())
	}
	return fn.buffer.Lost(), nil
}

// take keeps a packet where its caller can point to it.
func (fn *Function) take(p ring.Packet) *Packet {
	fn.buffer.packet = Packet(p)
	return &fn.buffer.packet
}

// takeable reports why no packet can be taken, nil when one can.
func (fn *Function) takeable() error {
	if err := fn.started(); err != nil {
		return err
	}
	if fn.buffer == nil || fn.isSeries() {
		return fn.noBuffer()
	}
	return nil
}

func (fn *Function) noBuffer() error {
	return mapierr.New(ErrNoResult, "%s is no packet buffer: apply TO_BUFFER", fn.name)
}

// bufferError gives what the buffer says a number.
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

// standstill is how long another buffer of a capture file may keep the daemon
// waiting before a reader gives up: a goroutine that is at work on that buffer
// takes packets in less.
const standstill = time.Second

// blocked reports that waiting for a packet would be for ever: the daemon, which
// reads a capture file once for all flows, waits for room in another buffer, and
// nobody takes packets of that.
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
	return 0, mapierr.New(ErrReaderSem, "no packet can come: mapid waits until packets of function %d of flow %d are taken",
		other.fid, other.flow.fd)
}

// awaited finds another buffer of the device for which the daemon waits.
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
