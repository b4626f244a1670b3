package ring

import (
	"encoding/binary"
	"sync/atomic"

	"gomapi/internal/pkt"
)

// A Writer is the daemon's side of a ring. Stop, Files and CloseFiles may be
// called from any goroutine, the other methods from one at a time, the capture
// thread. Close comes when no other call is under way; after it only Stop and
// Counts may be called.
type Writer struct {
	// Waits is called with true before WriteWait waits, when the reader can see
	// that it does (Awaited), and with false afterwards. Set it before the first
	// write.
	Waits func(begin bool)

	head *head
	page *page // the client's: never trusted
	ring []byte
	mask uint64

	pos     uint64 // end of the last record
	shown   uint64 // as pos, what head has; shown <= pos
	told    uint64 // as pos, what the reader was woken for; told <= shown
	read    uint64 // last valid read position seen; pos-cap <= read <= pos
	counts  Counts
	counted Counts // what head has

	answeredSleep uint64 // last value of sleep that was answered
	gone          bool   // the reader has closed its end of the socket
	sock          int
	wakeBytes     [64]byte // bytes from the reader, of no meaning
	stopped       atomic.Bool

	backing  uint64 // position up to which the ring has memory
	short    bool   // there was no more to be had
	populate func(mem []byte) error

	life lifetime
}

// Write copies p into the ring, unseen until Flush, and reports whether it had
// room. If not the packet is counted as lost. It makes no system call.
func (w *Writer) Write(p *pkt.Packet) bool {
	size := recordSize(uint64(len(p.Link)))
	need := w.need(size)
	switch {
	case size > uint64(len(w.ring))/2:
		w.counts.TooLarge++
		return false
	case !w.fits(need) || !w.backed(w.pos+need):
		w.counts.Full++
		return false
	}
	w.put(p, size)
	if w.pos-w.shown > uint64(len(w.ring))/4 {
		w.show() // a reader that is awake makes room while the batch goes on
	}
	return true
}

// Flush shows the reader what was written, and wakes it if it sleeps. It is
// called once per batch and never blocks.
func (w *Writer) Flush() {
	w.short = false // the next batch asks again
	w.show()
	if w.told != w.pos {
		w.told = w.pos
		w.wake()
	}
}

// End flushes and says that no packet will follow: the reader gets io.EOF after
// the last one.
func (w *Writer) End() {
	w.show()
	w.head.state.Store(stateEnded)
	w.wake()
}

// Counts tells what became of the packets so far.
func (w *Writer) Counts() Counts { return w.counts }

// Shown is what the reader knows of Counts. It may be called from any goroutine,
// also after Close.
func (w *Writer) Shown() Counts {
	w.life.mu.Lock()
	defer w.life.mu.Unlock()
	if w.life.closed {
		return w.counted
	}
	return w.head.counts()
}

// Footprint is the memory that the ring takes, in bytes.
func (w *Writer) Footprint() int { return headSize + pageSize + len(w.ring) }

// Capacity is the size of the ring in bytes. Packets of up to half of it, less
// their record head of 20 bytes, can be written.
func (w *Writer) Capacity() int { return len(w.ring) }

// need is what a record takes from the ring: its size, and the rest that it
// skips. As no record is over half of the ring, an empty ring takes every one.
func (w *Writer) need(size uint64) uint64 {
	if rest := w.rest(); rest < size {
		return rest + size
	}
	return size
}

// rest is the number of bytes up to the end of the ring.
func (w *Writer) rest() uint64 { return uint64(len(w.ring)) - w.pos&w.mask }

// fits reports whether need bytes are free. It asks for the read position, which
// is in the reader's cache, only when the last one is no longer good enough.
func (w *Writer) fits(need uint64) bool {
	if need <= w.room() {
		return true
	}
	// A position that no reader can have is ignored: the ring stays full.
	if r := w.page.read.Load(); w.pos-r <= uint64(len(w.ring)) && r%align == 0 {
		w.read = r
	}
	return need <= w.room()
}

func (w *Writer) room() uint64 { return uint64(len(w.ring)) - (w.pos - w.read) }

// put writes the record of p, which fits.
func (w *Writer) put(p *pkt.Packet, size uint64) {
	off := w.pos & w.mask
	if rest := w.rest(); rest < size {
		if rest >= recordData {
			binary.NativeEndian.PutUint32(w.ring[off+recordCap:], skip)
		}
		w.pos += rest
		off = 0
	}
	rec := w.ring[off : off+size]
	binary.NativeEndian.PutUint64(rec[recordTS:], p.TS)
	binary.NativeEndian.PutUint16(rec[recordIfIndex:], p.IfIndex)
	binary.NativeEndian.PutUint16(rec[recordLink:], p.LinkType)
	binary.NativeEndian.PutUint32(rec[recordCap:], uint32(len(p.Link)))
	binary.NativeEndian.PutUint32(rec[recordWire:], p.Wire)
	copy(rec[recordData:], p.Link)
	w.pos += size
	w.counts.Written++
}

// show makes records and counts visible to a reader that is awake.
func (w *Writer) show() {
	if w.counted != w.counts {
		w.counted = w.counts
		w.head.written.Store(w.counts.Written)
		w.head.full.Store(w.counts.Full)
		w.head.tooLarge.Store(w.counts.TooLarge)
	}
	if w.shown != w.pos {
		w.shown = w.pos
		w.head.position.Store(w.pos)
	}
}
