package capfile

import "gomapi/internal/pkt"

// AppendHead appends to b the header of a pcap file with link type dlt.
func AppendHead(b []byte, dlt uint16) []byte { return append(b, head(dlt)...) }

// AppendRecord appends to b a packet as a record: its time in microseconds, and
// at most 262,144 of the bytes in Link.
func AppendRecord(b []byte, p *pkt.Packet) []byte {
	link := p.Link[:min(len(p.Link), maxSnap)]
	var record [recordHead]byte
	putRecordHead(&record, p.TS, uint32(len(link)), p.Wire)
	return append(append(b, record[:]...), link...)
}
