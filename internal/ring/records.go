package ring

import (
	"fmt"

	"gomapi/internal/pkt"
)

// MaxRecord is the maximum size of the data of a record in bytes. A ring smaller than
// twice that allows less: half of the ring, less the head of 20 bytes.
const MaxRecord = 1 << 20

// A Record is what a function passes to its program: data of any length, whose layout
// depends on the kind, which the function defines.
type Record struct {
	TS   uint64 // packet time, 2^-32 seconds since 1970-01-01 UTC
	Kind uint16
	Data []byte // at most MaxRecord
}

// NewRecords creates a ring for records of at least size bytes, like New. Such a Writer
// has Record and RecordWait in place of Write and WriteWait.
func NewRecords(size int) (*Writer, error) { return newWriter(size, ofRecords) }

// Record is Write for a record. It copies the data. The record counts as too large if its
// data exceeds MaxRecord.
func (w *Writer) Record(rec Record) bool {
	if len(rec.Data) > MaxRecord {
		w.counts.TooLarge++
		return false
	}
	return w.Write(&pkt.Packet{TS: rec.TS, IfIndex: rec.Kind, Link: rec.Data})
}

// RecordWait is WriteWait for a record.
func (w *Writer) RecordWait(rec Record) bool {
	if len(rec.Data) <= MaxRecord {
		w.makeRoom(recordSize(uint64(len(rec.Data))))
	}
	return w.Record(rec)
}

// Record returns the record that p holds if it comes from a ring of records. Its data is
// that of p.
func (p *Packet) Record() Record { return Record{TS: p.TS, Kind: p.IfIndex, Data: p.Data} }

// Records reports whether the ring holds records.
func (r *Reader) Records() bool { return r.records }

// TakeAll passes the records or packets that are there to take, until it returns false. The
// bytes are valid until take returns. If there is none it returns the error of TryNext.
func (r *Reader) TakeAll(take func(Packet) bool) error {
	if err := r.enter(); err != nil {
		return err
	}
	defer r.leave()
	defer r.release()
	// Until release the writer has only the rest of the ring, so this ends.
	for r.next-r.freed < uint64(len(r.ring)) {
		var p Packet
		ok, err := r.take(&p)
		switch {
		case !ok && r.next == r.freed:
			r.page.asked()
			return err
		case !ok || !take(p):
			return nil
		}
	}
	return nil
}

// entryError returns what is wrong with the size of an entry that a ring claims.
func entryError(n uint64) error {
	if n&(n-1) != 0 || n > ofRecords && n < align || n > maxEntry {
		return fmt.Errorf("packet memory claims entries of %d bytes", n)
	}
	return nil
}
