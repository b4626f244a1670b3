package capfile

import "gomapi/internal/pkt"

// Add queues packets in order, up to the limit. It copies them, and neither
// allocates nor locks. It waits only with Options.Park.
func (w *Writer) Add(pkts []*pkt.Packet) {
	if w.left > 0 && w.out.Over(len(pkts)) {
		return
	}
	for i, p := range pkts {
		if w.left == 0 {
			w.counts.beyond.Add(uint64(len(pkts) - i))
			break
		}
		w.add(p)
	}
	w.out.Flush()
	if w.left == 0 {
		w.Finish()
	}
}

func (w *Writer) add(p *pkt.Packet) {
	if p.LinkType != w.linkType {
		w.counts.otherType.Add(1)
		return
	}
	link := p.Link
	if len(link) > maxSnap {
		link = link[:maxSnap]
	}
	var head [recordHead]byte
	putRecordHead(&head, p.TS, uint32(len(link)), p.Wire)
	if !w.out.Add(head[:], link) {
		return
	}
	if len(link) < len(p.Link) {
		w.counts.cut.Add(1)
	}
	w.left--
}
