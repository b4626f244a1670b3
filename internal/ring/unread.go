package ring

import "runtime"

// asked records that the reader asks for packets, even if there is none yet. A value of
// sleep that is even and not 0 wakes nobody.
func (p *page) asked() {
	if p.sleep.Load() == 0 {
		p.sleep.Store(2)
	}
}

// unread reports whether a reader that has taken or asked for packets has not yet taken
// all packets up to position. The reader's statements about itself can be anything, but
// they affect only that reader.
func (p *page) unread(position uint64) bool {
	read, taken := p.read.Load(), p.taken.Load()
	begun := read != 0 || taken != 0 || p.sleep.Load() != 0
	return begun && read != position && taken != position && taken != noReader
}

// Unread reports whether packets wait for a reader that has taken or asked for at least
// one packet. It is false for other readers and for a series. Any goroutine may call it,
// also after Close.
func (w *Writer) Unread() (unread bool) {
	w.life.with(func() {
		unread = w.entry <= ofRecords && w.page.unread(w.shown.Load())
	})
	return unread
}

// Unread is like Writer.Unread. It makes no system call.
func (r *Reader) Unread() bool {
	defer runtime.KeepAlive(r)
	return r.entry == 0 && !r.closed.Load() && r.page.unread(r.head.position.Load())
}
