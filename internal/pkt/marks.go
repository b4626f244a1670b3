package pkt

// Marks has a mark of one byte for each packet of a batch. It is beside the packets and not
// part of them: a copy of a packet has no mark.
type Marks struct {
	first *Packet
	n     int
	marks [MaxBatch]uint8
}

// Begin makes pkts the packets of the batch, without marks, and returns the marks for them.
func (m *Marks) Begin(pkts []Packet) []uint8 {
	m.first, m.n = &pkts[0], len(pkts)
	marks := m.marks[:m.n]
	clear(marks)
	return marks
}

// Of returns the mark of p, 0 if p is no packet of the batch.
func (m *Marks) Of(p *Packet) uint8 {
	if i := Index(m.first, p); uint(i) < uint(m.n) {
		return m.marks[i]
	}
	return 0
}
