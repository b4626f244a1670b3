package result

import "encoding/binary"

// Layout of a Dist: offsets of its uint64s.
const (
	distMin    = 0
	distMax    = 8
	distN      = 16
	distCounts = 24 // N+1 of them, and a spare one as the original has
)

// Dist is the result of DIST: how often a value lay in each of the N intervals
// from Min up to Max, which is not among them.
type Dist struct {
	Min, Max uint64 // in the unit of the value
	// Counts are in packets. Counts[0] is of the values below Min + interval, also
	// below Min; Counts[i] of those from Min + i*interval up to the next one,
	// less than Max; the last, Counts[N], of those from Max on.
	Counts []uint64
}

// DistSize is the size of a Dist of n intervals.
func DistSize(n int) int { return distCounts + 8*(n+2) }

// DistCount is the offset of Counts[i].
func DistCount(i int) int { return distCounts + 8*i }

// ParseDist decodes a distribution into memory of its own. It reports false when
// b is too short for the intervals that it names.
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
