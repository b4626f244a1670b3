package shm

import (
	"encoding/binary"
	"runtime"
	"sync/atomic"
	"time"
)

// patience is how long a patient reader tries to read between writes.
const patience = time.Second

// read copies the result in slot w into dst, which must have its size. It gives
// up and returns false after the given number of tries. For a patient reader
// this number applies to each write; it gives up when patience has passed.
func read(dst []byte, w []atomic.Uint64, tries int, patient bool) bool {
	if len(dst) <= wordSize {
		var b [wordSize]byte
		binary.NativeEndian.PutUint64(b[:], w[1].Load())
		copy(dst, b[:])
		return true
	}
	var begun time.Time
	for left, last := tries, uint64(0); left > 0; left-- {
		before := w[0].Load()
		if before&1 == 0 {
			copyWords(dst, w[1:])
			if w[0].Load() == before {
				return true
			}
		}
		if patient && before != last {
			if begun.IsZero() {
				begun = time.Now()
			} else if time.Since(begun) > patience {
				return false
			}
			left, last = tries, before
		}
		runtime.Gosched()
	}
	return false
}

// copyWords copies word by word, because only atomic loads keep their order on
// every machine.
func copyWords(dst []byte, w []atomic.Uint64) {
	for ; len(dst) >= wordSize; dst, w = dst[wordSize:], w[1:] {
		binary.NativeEndian.PutUint64(dst, w[0].Load())
	}
	if len(dst) > 0 {
		var b [wordSize]byte
		binary.NativeEndian.PutUint64(b[:], w[0].Load())
		copy(dst, b[:])
	}
}
