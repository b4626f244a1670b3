package plot

import "math"

// A scale maps values to pixels: lo to from, hi to to.
type scale struct {
	lo, hi   float64
	from, to float64
	log      bool
}

// newScale makes a scale on which all values have a place.
func newScale(a Axis, from, to float64, values []float64) scale {
	s := scale{from: from, to: to, log: a.Log, lo: math.Inf(1), hi: math.Inf(-1)}
	if a.Min != a.Max {
		values = append(values, a.Min, a.Max)
	}
	for _, v := range values {
		if s.has(v) {
			s.lo, s.hi = min(s.lo, v), max(s.hi, v)
		}
	}
	if s.lo > s.hi {
		s.lo, s.hi = 1, 10
	}
	if s.log {
		s.lo, s.hi = decade(s.lo, math.Floor), decade(s.hi, math.Ceil)
	}
	if s.lo == s.hi {
		s.hi = s.lo*10 + 1
	}
	return s
}

// decade rounds to a power of ten.
func decade(v float64, round func(float64) float64) float64 {
	return math.Pow(10, round(math.Log10(v)))
}

// has reports whether a value has a place at all.
func (s scale) has(v float64) bool {
	return !math.IsNaN(v) && !math.IsInf(v, 0) && (!s.log || v > 0)
}

// at returns the pixel of a value.
func (s scale) at(v float64) float64 {
	lo, hi := s.lo, s.hi
	if s.log {
		lo, hi, v = math.Log10(lo), math.Log10(hi), math.Log10(v)
	}
	return s.from + (v-lo)/(hi-lo)*(s.to-s.from)
}

// ticks returns the values that get a line of the grid: powers of ten, or up to ten
// round numbers.
func (s scale) ticks() (at []float64) {
	if s.log {
		for v := s.lo; v <= s.hi*1.001; v *= 10 {
			at = append(at, v)
		}
		return at
	}
	step := step(s.hi - s.lo)
	for v := math.Ceil(s.lo/step) * step; v <= s.hi+step/1000; v += step {
		at = append(at, v)
	}
	return at
}

// step is 1, 2 or 5 times a power of ten, for at most ten steps in a span.
func step(span float64) float64 {
	power := decade(span/10, math.Floor)
	for _, k := range []float64{1, 2, 5} {
		if span/(k*power) <= 10 {
			return k * power
		}
	}
	return 10 * power
}
