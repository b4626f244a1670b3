package ring

import (
	"encoding/binary"
	"sync/atomic"

	"gomapi/internal/pkt"
)

// A Writer is the daemon's side of a ring. Any goroutine may call Stop, Files and
// CloseFiles. Only one goroutine at a time, the capture goroutine, may call the other
// methods. Close must not run during another call; after Close only Stop and Counts may
// be called.
type Writer struct {
	// Waits is called with true before WriteWait waits, when the reader can already see
	// this (Awaited), and with false afterwards. Set it before the first write.
	Waits func(begin bool)
	// Grant is asked before the ring takes so many more bytes of memory; nil grants all. If it
	// refuses, packets are lost and counted as if the ring were full, until the next batch asks
	// again. The capture goroutine calls it. Set it before the first write.
	Grant func(bytes int) bool

	head *head
	page *page // written by the client: never trusted
	ring []byte
	mask uint64

	// What the writer needs of the data file it keeps here, and never loads it from there.
	entry  uint64 // bytes of an entry of a series; 0: packets; ofRecords: records
	state  uint64
	pos    uint64        // end of the last record
	shown  atomic.Uint64 // like pos, as published in head; shown <= pos
	told   uint64        // like pos, up to where the reader was woken; told <= shown
	read   uint64        // last valid read position; pos-cap <= read <= pos
	counts Counts
	public tally // counts as published in head

	answeredSleep uint64 // last value of sleep that was answered
	gone          bool   // the reader has closed its end of the socket
	sock          int
	wakeBytes     [64]byte // bytes from the reader, without meaning
	stopped       atomic.Bool
	severed       bool // End does not mark the end of the trace

	backing  uint64 // position up to which the ring has memory
	short    bool   // no more memory could be had
	populate func(mem []byte) error

	life lifetime
}

// Write copies p into the ring, invisible until Flush, and reports whether there was
// room. If not, the packet counts as lost. It makes no system call.
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
	if w.pos-w.shown.Load() > uint64(len(w.ring))/4 {
		w.show() // an awake reader can then make room during the batch
	}
	return true
}

// Flush publishes the written packets to the reader, and wakes the reader if it sleeps.
// It is called once per batch and never blocks.
func (w *Writer) Flush() {
	w.short = false // the next batch tries again
	w.show()
	if w.told != w.pos {
		w.told = w.pos
		w.wake()
	}
}

// End flushes and marks the end of the trace: the reader gets io.EOF after the last
// packet.
func (w *Writer) End() {
	w.show()
	if !w.severed {
		w.state = stateEnded
		w.head.state.Store(stateEnded)
	}
	w.wake()
}

// Sever makes End leave the trace open, because the flow is being closed before the device
// has ended: the reader gets ErrGone and not io.EOF.
func (w *Writer) Sever() { w.severed = true }

// Counts returns the counts so far.
func (w *Writer) Counts() Counts { return w.counts }

// Shown returns the published counts. Any goroutine may call it, also after Close.
func (w *Writer) Shown() Counts { return w.public.load() }

// Footprint returns the memory that a new ring has taken, in bytes. It takes the rest as packets
// fill it, see Grant.
func (w *Writer) Footprint() int { return headSize + pageSize + len(w.ring) - w.Unbacked() }

// Unbacked returns the memory that the ring has not taken yet, in bytes.
func (w *Writer) Unbacked() int { return len(w.ring) - int(min(w.backing, uint64(len(w.ring)))) }

// MaxData returns the largest number of bytes of a packet that a ring takes: a record with its
// head is half of the ring at most.
func (w *Writer) MaxData() int { return len(w.ring)/2 - recordData }

// Capacity returns the size of the ring in bytes. A packet can be written if, with its
// record head of 20 bytes, it takes at most half of it.
func (w *Writer) Capacity() int { return len(w.ring) }

// need returns the bytes that a record takes from the ring: its size, and the rest that
// is skipped. No record is larger than half of the ring, so every record fits into an
// empty ring.
func (w *Writer) need(size uint64) uint64 {
	if rest := w.rest(); rest < size {
		return rest + size
	}
	return size
}

// rest returns the number of bytes up to the end of the ring.
func (w *Writer) rest() uint64 { return uint64(len(w.ring)) - w.pos&w.mask }

// fits reports whether need bytes are free. It loads the read position, which is in the
// reader's cache, only if the last known one is not sufficient.
func (w *Writer) fits(need uint64) bool {
	if need <= w.room() {
		return true
	}
	// An impossible position is ignored: the ring stays full.
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

// show publishes records and counts. A reader that is awake can see them.
func (w *Writer) show() {
	if w.public.load() != w.counts {
		w.public.store(w.counts)
		w.head.counts.store(w.counts)
	}
	if w.shown.Load() != w.pos {
		w.shown.Store(w.pos)
		w.head.position.Store(w.pos)
	}
}
