package ring

import (
	"errors"
	"math"

	"golang.org/x/sys/unix"
)

// Memory comes to a ring of packets as the writer first gets there, in steps: four
// megabytes at once take milliseconds, and most buffers never need them. A step is
// what the capture goroutine can afford between two packets.
const backStep = 64 << 10

// allBacked is the backing of a ring whose memory has all come.
const allBacked = math.MaxUint64

// backed reports whether the ring has memory up to position end, which it asks for if
// it must. Without it, packets are lost and counted until the next batch asks again.
func (w *Writer) backed(end uint64) bool {
	for end > w.backing && !w.short {
		from := w.backing
		to := min(from+backStep, uint64(len(w.ring)))
		if w.populate(w.ring[from:to]) != nil {
			w.short = true
			return false
		}
		w.backedTo(to)
	}
	return end <= w.backing
}

// backedTo notes that the ring has memory up to a place.
func (w *Writer) backedTo(place uint64) {
	if w.backing = place; place == uint64(len(w.ring)) {
		w.backing = allBacked
	}
}

// populate takes memory for a part of a mapped file, or tells that there is none: a
// first write without it would end the daemon by SIGBUS.
func populate(mem []byte) error {
	for {
		err := unix.Madvise(mem, unix.MADV_POPULATE_WRITE)
		if err != unix.EINTR && err != unix.EAGAIN {
			return err
		}
	}
}

// back takes the memory that a new ring begins with: its head and a step of packets.
// It is all of it for a series, whose writer is all over it soon, and for kernels
// before 5.14, which cannot be asked for memory of a mapping.
func (w *Writer) back(file int, entry int) error {
	w.populate = populate
	if entry == 0 {
		w.backedTo(backStep) // MinCapacity at most
		err := populate(w.life.maps.data[:headSize+backStep])
		if !errors.Is(err, unix.EINVAL) {
			return err
		}
	}
	w.backing = allBacked
	return allocate(file, len(w.life.maps.data))
}
