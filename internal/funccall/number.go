package funccall

import (
	"math"
	"strconv"
	"strings"
)

// Number returns the number that a word of a call stands for: an int64, or a uint64 if it
// is larger. The word is a number, the name of a constant, or a sum of such.
func Number(word string) (n any, ok bool) {
	if n, ok := integer(word); ok {
		return n, true
	}
	var sum int64
	for term := range strings.SplitSeq(word, "+") {
		n, ok := constant(term)
		if !ok {
			v, _ := integer(term)
			n, ok = v.(int64)
		}
		if !ok || n < 0 || n > math.MaxInt64-sum {
			return nil, false
		}
		sum += n
	}
	return sum, true
}

// integer parses a number.
func integer(text string) (n any, ok bool) {
	digits, negative := strings.CutPrefix(text, "-")
	base := 10
	if hex, ok := strings.CutPrefix(strings.ToLower(digits), "0x"); ok {
		digits, base = hex, 16
	}
	u, err := strconv.ParseUint(digits, base, 64)
	switch {
	case err != nil, negative && u > -math.MinInt64:
		return nil, false
	case negative:
		return -int64(u), true
	case u > math.MaxInt64:
		return u, true
	}
	return int64(u), true
}

// constant returns the number of a constant. Names of package mapi may have the name of
// the package before them, as in a program.
func constant(name string) (n int64, ok bool) {
	if n, ok = original[name]; ok {
		return n, true
	}
	n, ok = exported[strings.TrimPrefix(name, "mapi.")]
	return n, ok
}

// original are the constants for arguments in the headers of the original.
var original = map[string]int64{
	"BINOP_ADD": 0, "BINOP_SUB": 1,
	"MFF_PCAP": 0, "MFF_RAW": 1, "MFF_DAG_ERF": 2, "MFF_COMBO6": 3, "MFF_NAPATECH": 4,
	"PERIODIC": 2, "DETERMINISTIC": 2, "PROBABILISTIC": 3,
	"PKT_TS": 0, "PKT_SIZE": 1,
	"R2F_RAW": 0, "R2F_ULLSTR": 1, "R2F_ULLSEC": 2, "R2F_STATS": 3,
	"TYPE_CHAR": 0, "TYPE_INT": 1, "TYPE_UNSIGNED_LONG_LONG": 2, "TR_POLL": 64, "TR_MW": 128,
	"TR_B_EQ": 0, "TR_B_POS": 1, "TR_B_NEG": 2, "TR_B_D_EQ": 4, "TR_B_D_POS": 8, "TR_B_D_NEG": 16,
	"WAIT": 0, "NOWAIT": 1,
}

// exported are the constants for arguments in package mapi, which this package cannot import.
var exported = map[string]int64{
	"AnyHeaders": 1 << 16,
	"BinopAdd":   0, "BinopSub": 1,
	"BoundaryEqual": 0, "BoundaryAbove": 1, "BoundaryBelow": 2,
	"BoundaryDiffEqual": 4, "BoundaryDiffAbove": 8, "BoundaryDiffBelow": 16,
	"FormatPCAP": 0, "FormatRaw": 1, "FormatDAGERF": 2, "FormatCombo6": 3, "FormatNapatech": 4,
	"PktTS": 0, "PktSize": 1,
	"R2FRaw": 0, "R2FULLStr": 1, "R2FULLSec": 2, "R2FStats": 3,
	"SamplePeriodic": 2, "SampleProbabilistic": 3,
	"ThresholdChar": 0, "ThresholdInt": 1, "ThresholdUint64": 2, "ThresholdPoll": 64, "ThresholdWindow": 128,
	"Wait": 0, "NoWait": 1,
}
