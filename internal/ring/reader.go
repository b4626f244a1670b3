package ring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// Errors of reading. Other errors are io.EOF, when the trace has ended and all packets
// were read, and os.ErrClosed, after Close.
var (
	// ErrBusy says that another goroutine is reading.
	ErrBusy = errors.New("packet buffer is being read by another goroutine")
	// ErrGone says that no more packets will come. After the end of the daemon all were
	// read; if the daemon has closed the ring, the others are lost.
	ErrGone = errors.New("packet buffer was closed by the daemon, or the daemon has ended")
	// ErrCorrupt says that the ring holds data that no writer writes.
	ErrCorrupt = errors.New("packet buffer is damaged")
)

// A Packet is one packet of a ring. mapi.Packet has the same fields, so that one can be
// converted to the other.
type Packet struct {
	TS       uint64 // 2^-32 seconds since 1970-01-01 UTC
	IfIndex  uint16 // port of the adapter or interface number in the file
	LinkType uint16 // DLT
	Wlen     uint32 // length on the wire in bytes
	// Data holds the captured bytes from the link-layer header on. They are in the ring,
	// read-only (a write faults), and valid until the next reading call. They become zeros
	// when the daemon closes the ring.
	Data []byte
}

// A Reader is the client's side of a ring. One goroutine at a time may read (Next,
// TryNext, NextBatch). Any goroutine may call the other methods.
type Reader struct {
	// Idle is called before the reader sleeps, when the writer has nudged it, and after
	// the time that Idle returned, unless that is 0. An error ends the reading call. Set
	// Idle before the first reading call.
	Idle func() (again time.Duration, err error)

	head *head
	page *page
	ring []byte
	mask uint64
	maps mappings

	conn       *net.UnixConn
	raw        syscall.RawConn
	wakeWriter func(fd uintptr)

	last    tally // the counts before the daemon took the memory back
	closed  atomic.Bool
	reading atomic.Bool // guards the following fields

	next         uint64 // position of the next record
	freed        uint64 // position up to which the ring was returned to the writer; freed <= next
	end          uint64 // end of the last known record; next <= end
	answeredWant uint64 // last value of want that was answered
	state        uint64 // loaded before end
	hup          bool   // the daemon's end of the socket is closed
	err          error  // the damage found, or ErrGone: the memory was taken back
	wakeBytes    [64]byte

	records bool          // the ring holds records
	entry   uint64        // size of an entry of a series; 0: packets or records
	copied  []byte        // the last entry read
	missed  atomic.Uint64 // entries that were overwritten before they were read
}

// TryNext returns the next packet, or false if there is none now. The bytes are valid
// until the next reading call. It makes no system call, so unlike Next it does not notice
// that the daemon was killed. Errors are as in Next.
func (r *Reader) TryNext() (p Packet, ok bool, err error) {
	if err := r.enter(); err != nil {
		return Packet{}, false, err
	}
	defer r.leave()
	if ok, err = r.take(&p); !ok {
		r.page.asked()
	}
	return p, ok, err
}

// Written returns the number of packets put into the ring so far. Like Lost, it is up to
// date as of the daemon's last batch and makes no system call.
func (r *Reader) Written() uint64 { return r.Counts().Written }

// Lost returns the number of packets or entries that this reader never gets.
func (r *Reader) Lost() uint64 { return r.Counts().Lost() + r.missed.Load() }

// Counts returns the counts for this reader. After the daemon has closed the ring they are
// those of the last call, or of Close.
func (r *Reader) Counts() Counts {
	defer runtime.KeepAlive(r)
	c := r.head.counts.load()
	if r.takenBack() {
		return r.last.load()
	}
	r.last.store(c)
	return c
}

// takenBack reports whether what was loaded before may be zeros, because the daemon has
// closed the ring.
func (r *Reader) takenBack() bool { return r.head.magic.Load() != Magic }

// Awaited reports whether the writer waits for this reader. Its device then stands still,
// and so do all other readers of the device.
func (r *Reader) Awaited() bool {
	defer runtime.KeepAlive(r)
	return !r.closed.Load() && r.head.want.Load() != 0
}

// Position returns up to where the reader has returned the ring to the writer, in bytes
// since the ring was created. Any goroutine may call it.
func (r *Reader) Position() uint64 {
	defer runtime.KeepAlive(r)
	return r.page.read.Load()
}

// enter begins a reading call. It returns the packets of the last call to the writer.
func (r *Reader) enter() error {
	if !r.reading.CompareAndSwap(false, true) {
		return ErrBusy
	}
	if r.closed.Load() {
		r.reading.Store(false) // touch nothing: the memory may be in use by another goroutine
		return os.ErrClosed
	}
	r.release()
	return nil
}

func (r *Reader) leave() {
	r.reading.Store(false)
	if r.closed.Load() { // in the meantime
		r.page.taken.Store(noReader)
	}
}

// take reads one record. Without a record it returns the reason; nil means that more may
// come.
func (r *Reader) take(p *Packet) (bool, error) {
	if r.entry != 0 {
		return r.takeEntry(p)
	}
	for r.next != r.end || r.loadPosition() {
		rec, known := r.ring[r.next&r.mask:], r.end-r.next
		length := uint32(skip)
		if len(rec) >= recordData {
			// The length is loaded only once, so that the checked value is the one in
			// use.
			length = binary.NativeEndian.Uint32(rec[recordCap:])
		}
		if length == skip {
			if uint64(len(rec)) > known {
				return false, r.damaged("skips %d of %d bytes", len(rec), known)
			}
			r.next += uint64(len(rec))
			continue
		}
		size := recordSize(uint64(length))
		if size > min(known, uint64(len(rec))) {
			return false, r.damaged("claims a packet of %d bytes, but has %d", length, min(known, uint64(len(rec))))
		}
		p.TS = binary.NativeEndian.Uint64(rec[recordTS:])
		p.IfIndex = binary.NativeEndian.Uint16(rec[recordIfIndex:])
		p.LinkType = binary.NativeEndian.Uint16(rec[recordLink:])
		p.Wlen = binary.NativeEndian.Uint32(rec[recordWire:])
		p.Data = rec[recordData : recordData+length : recordData+length]
		if r.takenBack() {
			return false, r.gone()
		}
		r.next += size
		if first := r.next == size; first || r.next == r.end {
			r.page.taken.Store(r.next)
		}
		return true, nil
	}
	return false, r.endReason()
}

// loadPosition loads the writer's position and reports whether there are records. It
// loads the state first: if the state is final, so is the position.
func (r *Reader) loadPosition() bool {
	if r.err != nil {
		return false
	}
	r.state = r.head.state.Load()
	end := r.head.position.Load()
	if r.takenBack() {
		r.gone()
		return false
	}
	if r.entry == 0 && end-r.next > uint64(len(r.ring)) || (end-r.next)%align != 0 {
		r.damaged("moves from %d to %d, but has %d bytes", r.next, end, len(r.ring))
		return false
	}
	r.end = end
	return r.next != end
}

// endReason returns why there is no record: nil, io.EOF, ErrGone or damage.
func (r *Reader) endReason() error {
	switch {
	case r.err != nil:
		return r.err
	case r.state == stateEnded:
		return io.EOF
	case r.state != stateOpen || r.hup:
		return ErrGone
	}
	return nil
}

// damaged ends reading permanently. Zeros are not damage if the memory was taken back.
func (r *Reader) damaged(format string, args ...any) error {
	if r.takenBack() {
		return r.gone()
	}
	r.err = fmt.Errorf("%w: it "+format, append([]any{ErrCorrupt}, args...)...)
	r.end = r.next
	return r.err
}

// gone ends reading permanently, because the memory was taken back.
func (r *Reader) gone() error {
	r.err, r.end = ErrGone, r.next
	return r.err
}

// release returns the ring up to the next record to the writer, and tells the writer if
// it waits for this.
func (r *Reader) release() {
	if r.freed == r.next {
		return
	}
	r.freed = r.next
	r.page.read.Store(r.next)
	want := r.head.want.Load()
	if want == 0 || want == r.answeredWant || r.next < want {
		return
	}
	r.answeredWant = want
	_ = r.raw.Control(r.wakeWriter) // fails only on a closed reader, which the writer notices
}
