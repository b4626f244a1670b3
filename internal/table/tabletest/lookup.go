// Package tabletest measures lookups in maps of any kind, beside plain reads.
package tabletest

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// Million is the number of entries.
const Million = 1_000_000

// An entry has 64 bytes.
type (
	Key   [2]uint64
	Value [6]uint64
)

// Keys returns a million random keys, the same each time.
func Keys() []Key {
	random := rand.New(rand.NewPCG(1, 2))
	all := make([]Key, Million)
	for i := range all {
		all[i] = Key{random.Uint64(), random.Uint64()}
	}
	return all
}

// A Walk calls functions with all keys in turn.
type Walk struct {
	keys []Key
	at   int
}

// NewWalk mixes the keys: maps may have their entries in memory in the order of their making.
func NewWalk(keys []Key) *Walk {
	w := &Walk{keys: slices.Clone(keys)}
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(keys), func(i, j int) { w.keys[i], w.keys[j] = w.keys[j], w.keys[i] })
	return w
}

var none uint64 // 0, which the compiler does not know

// steps calls f for the next n keys. Which key is next depends on the last value, so that no two
// calls overlap.
func (w *Walk) steps(n int, f func(Key) uint64) {
	at := w.at
	for range n {
		at += int(f(w.keys[at])&none) + 1
		if at == len(w.keys) {
			at = 0
		}
	}
	w.at = at
}

// Measure looks keys up with get, which are not in the cache. Beside the time of a lookup it
// reports "x-read", which is its processor time divided by that of read. Both take turns, a
// million calls each with the cache warm, so that what else the machine does slows both down.
// x-read is the median of the turns.
func (w *Walk) Measure(b *testing.B, get, read func(Key) uint64) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	runtime.GC()
	b.ResetTimer()
	b.StopTimer()
	var ratios []float64
	for left := b.N; left > 0; left -= Million {
		n := min(left, Million)
		w.steps(Million/2, get)
		b.StartTimer()
		took := w.time(n, get)
		b.StopTimer()
		w.steps(Million/2, read)
		ratios = append(ratios, float64(took)/float64(w.time(n, read)))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "x-read")
}

// time returns the processor time of n steps, in nanoseconds.
func (w *Walk) time(n int, f func(Key) uint64) int64 {
	start := threadTime()
	w.steps(n, f)
	return threadTime() - start
}

func threadTime() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) // never fails
	return t.Nano()
}

// Reader returns a function that reads one random line of 64 bytes in a mapping of this size, of
// huge pages if the system has them.
func Reader(b *testing.B, bytes int) func(Key) uint64 {
	lines, err := unix.Mmap(-1, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = unix.Munmap(lines) })
	_ = unix.Madvise(lines, unix.MADV_HUGEPAGE) // only faster
	for i := range lines {
		lines[i] = byte(i)
	}
	n := uint64(len(lines) / 64)
	return func(k Key) uint64 { return binary.NativeEndian.Uint64(lines[k[0]%n*64:]) }
}
