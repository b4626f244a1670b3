package result

import "encoding/binary"

// Layout of a Dist: offsets of its uint64s.
const (
	distMin    = 0
	distMax    = 8
	distN      = 16
	distCounts = 24 // N+1 of them, and an unused one, as in the original
)

// Dist is the result of DIST: how often a value was in each of the N intervals
// from Min up to, but not including, Max.
type Dist struct {
	Min, Max uint64 // in the unit of the value
	// Counts are in packets. Counts[0] counts values below Min + interval,
	// including those below Min; Counts[i] values from Min + i*interval up to
	// the next interval, and below Max; the last, Counts[N], values of Max or
	// more.
	Counts []uint64
}

// DistSize is the size of a Dist of n intervals.
func DistSize(n int) int { return distCounts + 8*(n+2) }

// DistCount is the offset of Counts[i].
func DistCount(i int) int { return distCounts + 8*i }

// ParseDist decodes a distribution into newly allocated memory. It returns
// false if b is too short for its intervals.
func ParseDist(b []byte) (Dist, bool) {
	if len(b) < distCounts+8 {
		return Dist{}, false
	}
	u64 := binary.NativeEndian.Uint64
	n := u64(b[distN:])
	if n > uint64(len(b)-distCounts-8)/8 {
		return Dist{}, false
	}
	d := Dist{Min: u64(b[distMin:]), Max: u64(b[distMax:]), Counts: make([]uint64, n+1)}
	for i := range d.Counts {
		d.Counts[i] = u64(b[DistCount(i):])
	}
	return d, true
}

// Put encodes d into b, which has DistSize bytes.
func (d Dist) Put(b []byte) {
	binary.NativeEndian.PutUint64(b[distMin:], d.Min)
	binary.NativeEndian.PutUint64(b[distMax:], d.Max)
	binary.NativeEndian.PutUint64(b[distN:], uint64(len(d.Counts)-1))
	for i, n := range d.Counts {
		binary.NativeEndian.PutUint64(b[DistCount(i):], n)
	}
}
