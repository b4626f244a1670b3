package ring

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"sync/atomic"
)

// maxEntry is the maximum size of an entry of a series, in bytes.
const maxEntry = 4096

// NewSeries creates a ring for a series of at least n entries. size is the size of an
// entry in bytes, rounded up to a power of two from 8 to 4096. Such a Writer allows only
// Append, LeaveOut, Flush, End, Shown and the methods for control goroutines.
func NewSeries(size, n int) (*Writer, error) {
	if size < 1 || size > maxEntry || n < 1 || n > MaxCapacity/maxEntry {
		return nil, fmt.Errorf("a series of %d entries of %d bytes exceeds the limits", n, size)
	}
	entry := max(align, 1<<bits.Len(uint(size-1)))
	return newWriter(entry*(n+1), entry)
}

// Append adds an entry, invisible until Flush. If the ring is full, it overwrites the
// oldest entry. If e is shorter than an entry, the rest is zero.
func (w *Writer) Append(e []byte) {
	size := w.entry
	at := w.words(w.pos, size)
	whole := min(len(e)/align, len(at))
	for i := range whole {
		at[i].Store(binary.NativeEndian.Uint64(e[i*align:]))
	}
	if rest := at[whole:]; len(rest) > 0 {
		putShort(rest, e[whole*align:])
	}
	w.pos += size
	w.counts.Written++
	// A reader compares positions to find what was overwritten, so the published position
	// may lag behind by at most one entry.
	w.show()
}

// putShort stores the remaining bytes of an entry, less than a word, and pads with zeros.
func putShort(at []atomic.Uint64, e []byte) {
	var word [align]byte
	copy(word[:], e)
	at[0].Store(binary.NativeEndian.Uint64(word[:]))
	for i := 1; i < len(at); i++ {
		at[i].Store(0)
	}
}

// LeaveOut counts n entries that are not appended as lost.
func (w *Writer) LeaveOut(n uint64) {
	w.counts.Full += min(n, math.MaxUint64-w.counts.Full)
}

// Entries returns the number of entries of a series that fit into the ring.
func (w *Writer) Entries() int { return len(w.ring) / int(w.entry) }

func (w *Writer) words(pos, size uint64) []atomic.Uint64 {
	off := pos & w.mask
	return asWords(w.ring[off : off+size])
}

// takeEntry reads the oldest entry that is not overwritten.
func (r *Reader) takeEntry(p *Packet) (bool, error) {
	for r.next != r.end || r.loadPosition() {
		if oldest := r.oldest(); r.next < oldest {
			r.skipTo(oldest)
			continue
		}
		off := r.next & r.mask
		at := asWords(r.ring[off : off+r.entry])
		for i := range at {
			binary.NativeEndian.PutUint64(r.copied[i*align:], at[i].Load())
		}
		if r.next < r.oldest() {
			continue // possibly overwritten in the meantime
		}
		if r.err != nil {
			return false, r.err
		}
		*p = Packet{Data: r.copied}
		r.next += r.entry
		return true, nil
	}
	return false, r.endReason()
}

// oldest loads the position and returns the position of the oldest entry that is
// certainly valid.
func (r *Reader) oldest() uint64 {
	r.loadPosition()
	if room := uint64(len(r.ring)); r.end >= room {
		return r.end - room + r.entry
	}
	return 0
}

// skipTo skips entries that were overwritten.
func (r *Reader) skipTo(pos uint64) {
	r.missed.Add((pos - r.next) / r.entry)
	r.next = pos
}
