package stdflib

import (
	"math"
	"math/bits"

	"gomapi/mapi/result"
)

// A wideSum is an integer of 192 bits, least significant word first. The sum of the
// squares of 2^64 values fits.
type wideSum [3]uint64

func (w *wideSum) add(v uint64) { w.addWords(0, v) }

func (w *wideSum) addSquare(v uint64) { w.addWords(bits.Mul64(v, v)) }

func (w *wideSum) addWords(high, low uint64) {
	var carry uint64
	w[0], carry = bits.Add64(w[0], low, 0)
	w[1], carry = bits.Add64(w[1], high, carry)
	w[2] += carry
}

// mantissa is the number of bits that a float64 holds.
const mantissa = 53

// wide returns the sum as two floats. They are exact below 2^106; above they have the
// leading 106 bits.
func (w *wideSum) wide() result.Wide {
	if w[0] < 1<<mantissa && w[1]|w[2] == 0 {
		return result.Wide{High: float64(w[0])}
	}
	lead, next, shift := w.leading()
	// These are the first 53 bits and the 53 bits after them, as exact numbers. If more
	// bits follow, the last bit is set, so that they take part in rounding.
	const rest = 64 - mantissa
	second := lead<<mantissa>>rest | next>>(2*rest)
	if next<<(64-2*rest) != 0 {
		second |= 1
	}
	a, b := scale(lead>>rest, shift+64+rest), scale(second, shift+2*rest)
	high := a + b // the nearest float, which may be one step above a
	return result.Wide{High: high, Low: b - (high - a)}
}

// leading returns the first 128 bits of a sum that is not 0: (lead*2^64 + next) *
// 2^shift. If more bits follow, it sets the last one. The first bit of lead is set.
func (w *wideSum) leading() (lead, next uint64, shift int) {
	a, b, c := w[2], w[1], w[0]
	for shift = 64; a == 0; shift -= 64 {
		a, b, c = b, c, 0
	}
	n := bits.LeadingZeros64(a)
	lead, next = a<<n|b>>(64-n), b<<n|c>>(64-n)
	if c<<n != 0 {
		next |= 1
	}
	return lead, next, shift - n
}

// scale returns n*2^exp, for n below 2^53.
func scale(n uint64, exp int) float64 {
	return float64(n) * math.Float64frombits(uint64(1023+exp)<<(mantissa-1))
}
