package stdflib

import (
	"fmt"
	"math/big"
	"regexp"
)

// second is a second in time stamps: they count 2^-32 s.
const second = 1 << 32

// timeString is "[+]number[unit]", as the functions of the library take times,
// and plain numbers. Its digits are bounded, so that no text is work.
var timeString = regexp.MustCompile(`^\+?([0-9]{1,20}(?:\.[0-9]{1,20})?|\.[0-9]{1,20})(s|ms|us|m|)$`)

// units are the units of a time string in time stamps, exactly. Without one the
// number is what it is.
var units = map[string]*big.Rat{
	"s":  big.NewRat(second, 1),
	"ms": big.NewRat(second, 1000),
	"us": big.NewRat(second, 1_000_000),
	"m":  big.NewRat(60*second, 1),
	"":   big.NewRat(1, 1),
}

// parseTicks reads a time string: the result is rounded to the nearest unit of
// time stamps. It refuses everything else, and what does not fit into 63 bits.
func parseTicks(text string) (uint64, error) {
	m := timeString.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%.40q is not a time, want a number with s, ms, us, m (minutes) or no unit", text)
	}
	number, _ := new(big.Rat).SetString(m[1]) // digits only
	twice := number.Mul(number, units[m[2]])
	twice.Add(twice, big.NewRat(1, 2))
	ticks := new(big.Int).Quo(twice.Num(), twice.Denom())
	if !ticks.IsInt64() {
		return 0, fmt.Errorf("%.40q is too large, want less than 2147483648s or 2^63 without a unit", text)
	}
	return ticks.Uint64(), nil
}
