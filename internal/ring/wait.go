package ring

import (
	"golang.org/x/sys/unix"

	"gomapi/internal/pkt"
)

// WriteWait is Write, but where the ring is full it flushes and waits until the
// reader has made room. It waits no more once Stop was called or the reader is
// gone: what does not fit is then lost, as in Write. A reader that neither reads
// nor goes away holds it, so it is for devices that belong to one client.
//
// Who writes to several rings asks HasRoom before, and flushes the others when
// there is none: the one that has to make room may be waiting for them.
func (w *Writer) WriteWait(p *pkt.Packet) bool {
	if !w.HasRoom(p) {
		w.await(w.need(recordSize(uint64(len(p.Link)))))
	}
	return w.Write(p)
}

// HasRoom reports whether WriteWait would return p's fate at once: it fits now,
// or never will.
func (w *Writer) HasRoom(p *pkt.Packet) bool {
	size := recordSize(uint64(len(p.Link)))
	return size > uint64(len(w.ring))/2 || w.fits(w.need(size))
}

// await waits until need bytes are free, or for good reason no more.
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

// goal is the read position to wait for: enough for need, and a quarter of the
// ring or all of it, so that the two sides change over rarely.
func (w *Writer) goal(need uint64) uint64 {
	enough := w.pos + need - uint64(len(w.ring))
	quarter := w.read + uint64(len(w.ring))/4
	return min(w.pos, max(enough, quarter))
}

// listen blocks until the reader sends something, its end of the socket is
// closed, or Stop is called. The writer's end is blocking: its flags are its own,
// no client can change them.
func (w *Writer) listen() {
	n, err := unix.Read(w.sock, w.heard[:])
	if n <= 0 && err != unix.EINTR && !w.stopped.Load() {
		w.gone = true
	}
}

// Stop ends the waiting of WriteWait, now and for later calls.
func (w *Writer) Stop() {
	w.stopped.Store(true)
	// This ends a read under way, and says nothing to the reader.
	w.life.with(func() { _ = unix.Shutdown(w.sock, unix.SHUT_RD) })
}

// Nudge wakes the reader if it sleeps, though there is nothing new for it, so
// that it asks its Idle again. It is for the capture goroutine.
func (w *Writer) Nudge() { w.wake() }

var oneByte = []byte{1}

// wake sends a byte to the reader if it sleeps and has not got one for that. It
// uses send, which takes the flag for this call alone; the reader's wishes cost
// at most one call per batch.
func (w *Writer) wake() {
	sleep := w.page.sleep.Load()
	if sleep%2 == 0 || sleep == w.awoken || w.gone {
		return
	}
	switch unix.Send(w.sock, oneByte, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL) {
	case nil, unix.EAGAIN: // full of bytes that wake as well
		w.awoken = sleep
	case unix.EPIPE, unix.ECONNRESET:
		w.gone = true
	default: // short of memory: the next batch tries again
	}
}
