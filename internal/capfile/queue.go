package capfile

import (
	"encoding/binary"
	"math"
	"sync/atomic"
	"time"
)

// A queue carries bytes from one goroutine, the producer, to another, the
// consumer. Positions count the bytes since the beginning; a byte lies at its
// position modulo the length of buf, a power of two.
//
// Neither side waits unless it wants to. Who does writes down the position of the
// other that it waits for and then looks once more; who passes that position
// leaves a token.
type queue struct {
	buf []byte

	// Producer's side.
	end   uint64        // of what was put, ready or not
	freed uint64        // consumed when last looked
	room  chan struct{} // token from the consumer

	// Consumer's side.
	data chan struct{} // token from the producer

	_        [64]byte      // what both sides look at, apart from what one side does
	ready    atomic.Uint64 // what the consumer may take
	dataAt   atomic.Uint64 // the consumer waits for ready to get here
	_        [64]byte
	consumed atomic.Uint64
	roomAt   atomic.Uint64 // the producer waits for consumed to get here
}

// never is a position that is not reached.
const never = math.MaxUint64

func newQueue(size int) *queue {
	q := &queue{buf: make([]byte, size), room: make(chan struct{}, 1), data: make(chan struct{}, 1)}
	q.dataAt.Store(never)
	q.roomAt.Store(never)
	return q
}

// fits reports whether there is room for n bytes. Producer.
func (q *queue) fits(n int) bool {
	if int(q.end-q.freed)+n <= len(q.buf) {
		return true
	}
	q.freed = q.consumed.Load()
	return int(q.end-q.freed)+n <= len(q.buf)
}

// put adds b, for which there is room. Producer.
func (q *queue) put(b []byte) {
	if n := copy(q.buf[q.index(q.end):], b); n < len(b) {
		copy(q.buf, b[n:])
	}
	q.end += uint64(len(b))
}

// flush lets the consumer take what was put. Producer.
func (q *queue) flush() {
	q.ready.Store(q.end)
	if q.end >= q.dataAt.Load() {
		leave(q.data)
	}
}

// waitRoom returns when n bytes fit or one of the channels is closed. Producer,
// after flush.
func (q *queue) waitRoom(n int, stop1, stop2 <-chan struct{}) {
	q.roomAt.Store(q.end + uint64(n) - uint64(len(q.buf)))
	defer q.roomAt.Store(never)
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

// waitData waits for n bytes. It returns false early when late fires, and true
// when stop is closed. Consumer.
func (q *queue) waitData(n uint64, late <-chan time.Time, stop <-chan struct{}) (stopped bool) {
	at := q.consumed.Load() + n
	q.dataAt.Store(at)
	defer q.dataAt.Store(never)
	for q.ready.Load() < at {
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

// release gives the room of n bytes back. Consumer.
func (q *queue) release(n int) {
	if q.consumed.Add(uint64(n)) >= q.roomAt.Load() {
		leave(q.room)
	}
}

// uint32At reads a number at a position that is ready and not released. Consumer.
func (q *queue) uint32At(pos uint64) uint32 {
	var b [4]byte
	n := copy(b[:], q.buf[q.index(pos):])
	copy(b[n:], q.buf)
	return binary.NativeEndian.Uint32(b[:])
}

func (q *queue) index(pos uint64) int { return int(pos & uint64(len(q.buf)-1)) }

// leave puts a token into c unless there is one.
func leave(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
