package capfile

import "gomapi/internal/pkt"

// Add queues packets in order, up to the limit. It copies them, and neither
// allocates nor locks; without Options.Park it does not wait.
func (w *Writer) Add(pkts []*pkt.Packet) {
	if w.left > 0 && w.counts.state.Load() != running {
		w.counts.late.Add(uint64(len(pkts)))
		return
	}
	for i, p := range pkts {
		if w.left == 0 {
			w.counts.beyond.Add(uint64(len(pkts) - i))
			break
		}
		w.add(p)
	}
	w.flush()
	if w.left == 0 {
		w.Finish()
	}
}

func (w *Writer) add(p *pkt.Packet) {
	if p.LinkType != w.options.LinkType {
		w.counts.otherType.Add(1)
		return
	}
	link := p.Link
	if len(link) > maxSnap {
		link = link[:maxSnap]
	}
	n := recordHead + len(link)
	if !w.queue.fits(n) && !w.makeRoom(n) {
		return
	}
	var record [recordHead]byte
	putRecordHead(&record, p.TS, uint32(len(link)), p.Wire)
	w.queue.put(record[:])
	w.queue.put(link)
	if len(link) < len(p.Link) {
		w.counts.cut.Add(1)
	}
	w.pending++
	w.left--
}

// makeRoom waits for n bytes of room, if it may. Without room the packet is
// counted.
func (w *Writer) makeRoom(n int) bool {
	if w.options.Park == nil {
		w.counts.full.Add(1)
		return false
	}
	w.flush()
	w.need = n
	w.options.Park(w.wait)
	if !w.queue.fits(n) {
		w.counts.late.Add(1)
		return false
	}
	return true
}

// flush hands over what was put into the queue, and counts it before.
func (w *Writer) flush() {
	if w.pending == 0 {
		return
	}
	w.counts.accepted.Add(w.pending)
	w.pending = 0
	w.queue.flush()
}
