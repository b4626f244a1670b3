package spool

import (
	"math"
	"sync/atomic"
	"time"
)

// A queue passes records from one goroutine, the producer, to another, the
// consumer, which reads them as a stream of bytes. Positions count bytes since
// the start. A byte is stored at its position modulo len(buf), a power of two.
// The size of a record is stored at its number modulo len(sizes).
//
// Neither side waits unless it chooses to. To wait, a side first announces it
// and then checks once more; the other side sends a token.
type queue struct {
	buf   []byte
	sizes []uint32

	// Producer's side.
	end   uint64        // position after the last byte put, flushed or not
	put   uint64        // records put
	freed uint64        // released bytes at the last check
	taken uint64        // released records at the last check
	room  chan struct{} // token from the consumer

	// Consumer's side.
	edge uint64        // start of the oldest record that is not entirely released
	data chan struct{} // token from the producer

	_        [64]byte      // separates the shared fields from those of one side
	ready    atomic.Uint64 // end of the bytes that the consumer may read
	dataAt   atomic.Uint64 // value of ready that the consumer waits for
	_        [64]byte
	consumed atomic.Uint64
	gone     atomic.Uint64 // records released
	shown    atomic.Uint64 // records that the consumer may read
	wanted   atomic.Bool   // the producer waits for room
}

// never is an unreachable position.
const never = math.MaxUint64

// newQueue returns a queue of size 0; see enlarge.
func newQueue() *queue {
	q := &queue{room: make(chan struct{}, 1), data: make(chan struct{}, 1)}
	q.dataAt.Store(never)
	return q
}

// enlarge allocates the queue. It must precede all other calls.
func (q *queue) enlarge(bytes, records int) {
	q.buf, q.sizes = make([]byte, bytes), make([]uint32, records)
}

// head adds the header before the first record. Producer.
func (q *queue) head(b []byte) {
	q.copyIn(b)
	q.edge = q.end
}

// fits reports whether there is room for a record of n bytes. Producer.
func (q *queue) fits(n int) bool {
	if q.fitsBefore(n) {
		return true
	}
	q.freed, q.taken = q.consumed.Load(), q.gone.Load()
	return q.fitsBefore(n)
}

// fitsBefore is fits according to the last check. Producer.
func (q *queue) fitsBefore(n int) bool {
	return int(q.end-q.freed)+n <= len(q.buf) && q.put-q.taken < uint64(len(q.sizes))
}

// add adds a record in two parts. There must be room. Producer.
func (q *queue) add(a, b []byte) {
	q.copyIn(a)
	q.copyIn(b)
	q.sizes[q.put&uint64(len(q.sizes)-1)] = uint32(len(a) + len(b))
	q.put++
}

func (q *queue) copyIn(b []byte) {
	if n := copy(q.buf[q.index(q.end):], b); n < len(b) {
		copy(q.buf, b[n:])
	}
	q.end += uint64(len(b))
}

// flush makes added records available to the consumer. Producer.
func (q *queue) flush() {
	q.shown.Store(q.put) // before the consumer may read them
	q.ready.Store(q.end)
	if q.end >= q.dataAt.Load() {
		leave(q.data)
	}
}

// waitRoom waits until a record of n bytes fits or one of the channels is
// closed. Producer, after flush.
func (q *queue) waitRoom(n int, stop1, stop2 <-chan struct{}) {
	q.wanted.Store(true)
	defer q.wanted.Store(false)
	leave(q.data)
	for !q.fits(n) {
		select {
		case <-q.room:
		case <-stop1:
			return
		case <-stop2:
			return
		}
	}
}

// waitData waits for n bytes. It returns false early if late fires or the
// producer waits for room. It returns true if stop is closed. Consumer.
func (q *queue) waitData(n uint64, late <-chan time.Time, stop <-chan struct{}) (stopped bool) {
	at := q.consumed.Load() + n
	q.dataAt.Store(at)
	defer q.dataAt.Store(never)
	for q.ready.Load() < at && (late == nil || !q.wanted.Load()) {
		select {
		case <-q.data:
		case <-late:
			return false
		case <-stop:
			return true
		}
	}
	return false
}

// chunk returns the next bytes, at most n, which are valid until they are
// released. Consumer.
func (q *queue) chunk(n int) []byte {
	from := q.consumed.Load()
	i := q.index(from)
	return q.buf[i:min(i+n, i+int(q.ready.Load()-from), len(q.buf))]
}

// release releases n bytes and the records that end within them. It returns the
// number of these records. Consumer.
func (q *queue) release(n int) (records uint64) {
	to, before := q.consumed.Load()+uint64(n), q.gone.Load()
	gone := before
	for q.edge < to {
		end := q.edge + uint64(q.sizes[gone&uint64(len(q.sizes)-1)])
		if end > to {
			break
		}
		q.edge = end
		gone++
	}
	q.gone.Store(gone)
	q.consumed.Store(to)
	if q.wanted.Load() {
		leave(q.room)
	}
	return gone - before
}

// waiting returns how many records are in the queue: the records put minus the
// records released. Each side counts its own.
func (q *queue) waiting() uint64 {
	gone := q.gone.Load() // first, so that it never exceeds put
	return q.shown.Load() - gone
}

func (q *queue) index(pos uint64) int { return int(pos & uint64(len(q.buf)-1)) }

// leave sends a token to c, unless it has one.
func leave(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
