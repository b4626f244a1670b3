package ring

import "runtime"

// asked notes that the reader takes packets, also when there is none yet. A sleep that
// is even and not 0 wakes nobody.
func (p *page) asked() {
	if p.sleep.Load() == 0 {
		p.sleep.Store(2)
	}
}

// unread reports whether a reader that has begun to take packets, or to ask for
// one, has not taken all that were written up to position. What a reader says about
// itself can be anything, and concerns nobody else.
func (p *page) unread(position uint64) bool {
	read, taken := p.read.Load(), p.taken.Load()
	begun := read != 0 || taken != 0 || p.sleep.Load() != 0
	return begun && read != position && taken != position && taken != noReader
}

// Unread reports whether packets wait for a reader that takes packets: one that has
// taken or asked for one at least. It is false for a reader that never did, and for a
// series. It may be called from any goroutine, also after Close.
func (w *Writer) Unread() (unread bool) {
	w.life.with(func() {
		unread = w.head.entry.Load() == 0 && w.page.unread(w.head.position.Load())
	})
	return unread
}

// Unread is that of the Writer. It makes no system call.
func (r *Reader) Unread() bool {
	defer runtime.KeepAlive(r)
	return r.entry == 0 && !r.closed.Load() && r.page.unread(r.head.position.Load())
}
