package stdflib

import (
	"fmt"
	"math/big"
	"regexp"
)

// second is a second in time stamps, which count 2^-32 s.
const second = 1 << 32

// timeString is "[+]number[unit]": the form of times and plain numbers in the arguments
// of this library. The number of digits is limited, so that no text takes long to parse.
var timeString = regexp.MustCompile(`^\+?([0-9]{1,20}(?:\.[0-9]{1,20})?|\.[0-9]{1,20})(s|ms|us|m|)$`)

// units maps a unit to its exact length in time stamps. A number without a unit counts
// time stamps.
var units = map[string]*big.Rat{
	"s":  big.NewRat(second, 1),
	"ms": big.NewRat(second, 1000),
	"us": big.NewRat(second, 1_000_000),
	"m":  big.NewRat(60*second, 1),
	"":   big.NewRat(1, 1),
}

// parseTicks parses a time string and rounds the result to the nearest unit of time
// stamps. It refuses everything else, and values that do not fit into 63 bits.
func parseTicks(text string) (uint64, error) {
	m := timeString.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%.40q is not a time: use a number with s, ms, us, m (minutes) or no unit", text)
	}
	number, _ := new(big.Rat).SetString(m[1]) // digits only
	twice := number.Mul(number, units[m[2]])
	twice.Add(twice, big.NewRat(1, 2))
	ticks := new(big.Int).Quo(twice.Num(), twice.Denom())
	if !ticks.IsInt64() {
		return 0, fmt.Errorf("%.40q is too large: use less than 2147483648s, or less than 2^63 without a unit", text)
	}
	return ticks.Uint64(), nil
}
