package ring

import (
	"golang.org/x/sys/unix"

	"gomapi/internal/pkt"
)

// WriteWait is like Write, but if the ring is full, it flushes and waits until the reader
// has made room. It stops waiting when Stop is called or the reader is gone; packets that
// do not fit are then lost, as in Write. A reader that neither reads nor ends blocks it,
// so use it only for devices that belong to one client.
//
// A caller that writes to several rings must call HasRoom first, and flush the other
// rings if there is no room: the reader that must make room may be waiting for them.
func (w *Writer) WriteWait(p *pkt.Packet) bool {
	w.makeRoom(recordSize(uint64(len(p.Link))))
	return w.Write(p)
}

// makeRoom waits until there is room for a record of size bytes.
func (w *Writer) makeRoom(size uint64) {
	if !w.roomFor(size) {
		w.await(w.need(size))
	}
}

// HasRoom reports whether WriteWait would return at once: the packet fits now, or never
// will.
func (w *Writer) HasRoom(p *pkt.Packet) bool {
	return w.roomFor(recordSize(uint64(len(p.Link))))
}

func (w *Writer) roomFor(size uint64) bool {
	return size > uint64(len(w.ring))/2 || w.fits(w.need(size))
}

// await waits until need bytes are free, or until waiting makes no sense any more.
func (w *Writer) await(need uint64) {
	w.Flush()
	if w.stopped.Load() || w.gone {
		return
	}
	w.head.want.Store(w.goal(need))
	if w.Waits != nil {
		w.Waits(true)
		defer w.Waits(false)
	}
	for !w.fits(need) && !w.stopped.Load() && !w.gone {
		w.listen()
	}
	w.head.want.Store(0)
}

// goal returns the read position to wait for: enough for need, and a quarter of the ring
// or all of it, so that the two sides alternate rarely.
func (w *Writer) goal(need uint64) uint64 {
	enough := w.pos + need - uint64(len(w.ring))
	quarter := w.read + uint64(len(w.ring))/4
	return min(w.pos, max(enough, quarter))
}

// listen blocks until the reader sends something or closes its end of the socket, or
// until Stop is called. The writer's end is blocking. It has its own flags, which no
// client can change.
func (w *Writer) listen() {
	n, err := unix.Read(w.sock, w.wakeBytes[:])
	if n <= 0 && err != unix.EINTR && !w.stopped.Load() {
		w.gone = true
	}
}

// Stop ends the wait of WriteWait, now and in later calls.
func (w *Writer) Stop() {
	w.stopped.Store(true)
	// This ends a read under way without telling the reader.
	w.life.with(func() { _ = unix.Shutdown(w.sock, unix.SHUT_RD) })
}

// Nudge wakes a sleeping reader although there is no packet for it, so that it calls its
// Idle again. Only the capture goroutine may call it.
func (w *Writer) Nudge() { w.wake() }

var oneByte = []byte{1}

// wake sends a byte to the reader if it sleeps and has not received a byte for this
// sleep. It uses send, whose flag applies to this call alone. A reader can cause at most
// one call per batch.
func (w *Writer) wake() {
	sleep := w.page.sleep.Load()
	if sleep%2 == 0 || sleep == w.answeredSleep || w.gone {
		return
	}
	switch unix.Send(w.sock, oneByte, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL) {
	case nil, unix.EAGAIN: // full of bytes that wake as well
		w.answeredSleep = sleep
	case unix.EPIPE, unix.ECONNRESET:
		w.gone = true
	default: // memory is short: the next batch tries again
	}
}
