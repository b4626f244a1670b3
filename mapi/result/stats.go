package result

import (
	"encoding/binary"
	"math"
	"math/big"
)

// StatsSize is the size of a Stats in bytes.
const StatsSize = 64

// Layout of a Stats. The original has 80-bit numbers in place of the sums.
const (
	statsCount = 0  // uint64; 8: zero
	statsSum   = 16 // Wide
	statsSum2  = 32 // Wide
	statsMax   = 48 // float64
	statsMin   = 56 // float64
)

// Stats is the result of STATS: statistics over the values of a function, in
// the unit of that function.
type Stats struct {
	Count uint64 // values
	Sum   Wide
	Sum2  Wide    // sum of the squares
	Max   float64 // 0 before the first value
	Min   float64 // 0 before the first value
}

// Mean is the mean of the values, 0 before the first value.
func (s *Stats) Mean() float64 {
	if s.Count == 0 {
		return 0
	}
	return s.Sum.Float64() / float64(s.Count)
}

// Put encodes s into b, of StatsSize bytes, in the format of ReadResults.
func (s *Stats) Put(b []byte) {
	_ = b[StatsSize-1]
	binary.NativeEndian.PutUint64(b[statsCount:], s.Count)
	s.Sum.put(b[statsSum:])
	s.Sum2.put(b[statsSum2:])
	putFloat(b[statsMax:], s.Max)
	putFloat(b[statsMin:], s.Min)
}

// ParseStats decodes a Stats. It returns false if b is too short.
func ParseStats(b []byte) (Stats, bool) {
	if len(b) < StatsSize {
		return Stats{}, false
	}
	return Stats{
		Count: binary.NativeEndian.Uint64(b[statsCount:]),
		Sum:   parseWide(b[statsSum:]),
		Sum2:  parseWide(b[statsSum2:]),
		Max:   parseFloat(b[statsMax:]),
		Min:   parseFloat(b[statsMin:]),
	}, true
}

// A Wide is a number as the exact sum of two: the nearest float64, and the
// remainder. Integers below 2^106 are exact.
type Wide struct{ High, Low float64 } // bytes 0 and 8

// Float64 is the nearest float64.
func (w Wide) Float64() float64 { return w.High }

// Uint64 returns the number if it is a 64-bit integer; otherwise it returns
// false.
func (w Wide) Uint64() (uint64, bool) {
	if finite := w.High-w.High == 0 && w.Low-w.Low == 0; !finite {
		return 0, false
	}
	sum := new(big.Float).SetPrec(128).Add(big.NewFloat(w.High), big.NewFloat(w.Low))
	n, how := sum.Uint64()
	return n, how == big.Exact && sum.IsInt()
}

func (w Wide) put(b []byte) {
	putFloat(b, w.High)
	putFloat(b[8:], w.Low)
}

func parseWide(b []byte) Wide { return Wide{High: parseFloat(b), Low: parseFloat(b[8:])} }

func putFloat(b []byte, v float64) { binary.NativeEndian.PutUint64(b, math.Float64bits(v)) }

func parseFloat(b []byte) float64 { return math.Float64frombits(binary.NativeEndian.Uint64(b)) }
