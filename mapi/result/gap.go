package result

import (
	"encoding/binary"
	"math/bits"
	"time"
)

// GapSize is the size of a Gap: one uint64.
const GapSize = 8

// Gap is the result of GAP: the timestamp of the newest packet minus that of
// the packet before it, modulo 2^64, in 2^-32 seconds; 0 before the second
// packet. Timestamps of a capture may go back; the number is huge then, and
// Signed and Duration return the negative difference.
type Gap uint64

// ParseGap decodes a gap. It returns false if b is too short.
func ParseGap(b []byte) (Gap, bool) {
	if len(b) < GapSize {
		return 0, false
	}
	return Gap(binary.NativeEndian.Uint64(b)), true
}

// Signed is the gap in 2^-32 seconds, negative if the newer packet has the
// older timestamp.
func (g Gap) Signed() int64 { return int64(g) }

// Duration is Signed, rounded to the nearest nanosecond.
func (g Gap) Duration() time.Duration {
	n := uint64(g)
	if g.Signed() < 0 {
		n = -n
	}
	hi, lo := bits.Mul64(n, uint64(time.Second))
	lo, carry := bits.Add64(lo, 1<<31, 0)
	d := time.Duration((hi+carry)<<32 | lo>>32)
	if g.Signed() < 0 {
		return -d
	}
	return d
}
