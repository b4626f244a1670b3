package spool

import (
	"math"
	"sync/atomic"
	"time"
)

// A queue carries records from one goroutine, the producer, to another, the
// consumer, which takes them as a stream of bytes. Positions count the bytes since
// the beginning; a byte lies at its position modulo the length of buf, a power of
// two. Likewise the size of a record lies at its number modulo the length of sizes.
//
// Neither side waits unless it wants to. Who does says so and then looks once
// more; the other side leaves a token.
type queue struct {
	buf   []byte
	sizes []uint32

	// Producer's side.
	end   uint64        // of what was put, ready or not
	put   uint64        // records
	freed uint64        // consumed when last looked
	taken uint64        // gone when last looked
	room  chan struct{} // token from the consumer

	// Consumer's side.
	edge uint64        // position where the oldest record begins that is not wholly consumed
	data chan struct{} // token from the producer

	_        [64]byte      // what both sides look at, apart from what one side does
	ready    atomic.Uint64 // what the consumer may take
	dataAt   atomic.Uint64 // the consumer waits for ready to get here
	_        [64]byte
	consumed atomic.Uint64
	gone     atomic.Uint64 // records that were wholly consumed
	shown    atomic.Uint64 // records that the consumer may take
	wanted   atomic.Bool   // the producer waits for room
}

// never is a position that is not reached.
const never = math.MaxUint64

// newQueue makes a queue without room for anything, see enlarge.
func newQueue() *queue {
	q := &queue{room: make(chan struct{}, 1), data: make(chan struct{}, 1)}
	q.dataAt.Store(never)
	return q
}

// enlarge gives the queue its room, before anything is put into it.
func (q *queue) enlarge(bytes, records int) {
	q.buf, q.sizes = make([]byte, bytes), make([]uint32, records)
}

// head adds what stands before the first record. Producer.
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

// fitsBefore is fits with what was known before.
func (q *queue) fitsBefore(n int) bool {
	return int(q.end-q.freed)+n <= len(q.buf) && q.put-q.taken < uint64(len(q.sizes))
}

// add adds a record in two parts, for which there is room. Producer.
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

// flush lets the consumer take what was added. Producer.
func (q *queue) flush() {
	q.shown.Store(q.put) // before the consumer may take them
	q.ready.Store(q.end)
	if q.end >= q.dataAt.Load() {
		leave(q.data)
	}
}

// waitRoom returns when a record of n bytes fits or one of the channels is closed.
// Producer, after flush.
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

// waitData waits for n bytes. With late it returns false early, when that fires or
// the producer waits for room. It returns true when stop is closed. Consumer.
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

// chunk returns the next bytes, at most n, which stay until they are released.
// Consumer.
func (q *queue) chunk(n int) []byte {
	from := q.consumed.Load()
	i := q.index(from)
	return q.buf[i:min(i+n, i+int(q.ready.Load()-from), len(q.buf))]
}

// release gives the room of n bytes back, and of the records that end with them.
// It returns how many these are. Consumer.
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

// waiting returns how many records lie in the queue: those that were put less
// those that were taken off, each counted by its own side.
func (q *queue) waiting() uint64 {
	gone := q.gone.Load() // first, so that it is never ahead
	return q.shown.Load() - gone
}

func (q *queue) index(pos uint64) int { return int(pos & uint64(len(q.buf)-1)) }

// leave puts a token into c unless there is one.
func leave(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
