package ring

import (
	"errors"
	"math"

	"golang.org/x/sys/unix"
)

// A ring of packets gets memory in steps, when the writer first reaches it. Four
// megabytes at once take milliseconds, and most buffers never need them. The capture
// goroutine can afford one step between two packets.
const backStep = 64 << 10

// allBacked is the backing of a ring that has all its memory.
const allBacked = math.MaxUint64

// backed reports whether the ring has memory up to position end, and requests memory if
// needed. If there is none, packets are lost and counted until the next batch tries
// again.
func (w *Writer) backed(end uint64) bool {
	for end > w.backing && !w.short {
		from := w.backing
		to := min(from+backStep, uint64(len(w.ring)))
		if w.Grant != nil && !w.Grant(int(to-from)) || w.populate(w.ring[from:to]) != nil {
			w.short = true
			return false
		}
		w.backedTo(to)
	}
	return end <= w.backing
}

// backedTo records that the ring has memory up to a place.
func (w *Writer) backedTo(place uint64) {
	if w.backing = place; place == uint64(len(w.ring)) {
		w.backing = allBacked
	}
}

// populate allocates memory for a part of a mapped file. It fails if there is none;
// without it, the first write would end the daemon with SIGBUS.
func populate(mem []byte) error {
	for {
		err := unix.Madvise(mem, unix.MADV_POPULATE_WRITE)
		if err != unix.EINTR && err != unix.EAGAIN {
			return err
		}
	}
}

// back allocates the memory that a new ring needs at once: its head and one step of
// packets. It allocates all memory for a series, whose writer soon uses all of it, and on
// kernels before 5.14, which cannot allocate memory for part of a mapping.
func (w *Writer) back(file int, entry int) error {
	w.populate = populate
	if entry <= ofRecords {
		w.backedTo(backStep) // at most MinCapacity
		err := populate(w.life.maps.data[:headSize+backStep])
		if !errors.Is(err, unix.EINVAL) {
			return err
		}
	}
	w.backing = allBacked
	return allocate(file, len(w.life.maps.data))
}
