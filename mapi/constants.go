package mapi

import "fmt"

// word is the name of a number, or what and the number if it has no name.
func word[T ~int](names map[T]string, what string, n T) string {
	if w, ok := names[n]; ok {
		return w
	}
	return fmt.Sprintf("%s %d", what, int(n))
}

// SampleMode is a mode of SAMPLE.
type SampleMode int

// Modes of SAMPLE, with the values of the original API.
const (
	SamplePeriodic      SampleMode = 2 // every value-th packet passes
	SampleProbabilistic SampleMode = 3 // a packet passes with a probability of value percent
)

func (m SampleMode) String() string {
	return word(map[SampleMode]string{SamplePeriodic: "periodic", SampleProbabilistic: "probabilistic"}, "mode", m)
}

// PktField selects the result of PKTINFO.
type PktField int

// Results of PKTINFO, with the values of the original API.
const (
	PktTS   PktField = 0 // timestamp, 2^-32 seconds since 1970-01-01 UTC
	PktSize PktField = 1 // length on the wire in bytes
)

func (f PktField) String() string {
	return word(map[PktField]string{PktTS: "time stamp", PktSize: "size"}, "field", f)
}

// AnyHeaders is added to the layer of HASH or the range of HASHSAMP. The
// function then also looks behind VLAN tags, MPLS labels and PPPoE, and
// supports IPv6 and link types other than Ethernet and Cisco HDLC. The original
// has no such option.
const AnyHeaders = 1 << 16

// BinopType is a type of BINOP.
type BinopType int

// Types of BINOP, with the values of the original API.
const (
	BinopAdd BinopType = 0 // BINOP_ADD
	BinopSub BinopType = 1 // BINOP_SUB
)

func (t BinopType) String() string {
	return word(map[BinopType]string{BinopAdd: "add", BinopSub: "subtract"}, "type", t)
}

// ThresholdType is a type of THRESHOLD, plus an optional mode.
type ThresholdType int

// Types of THRESHOLD, with the values of the original API. They define how the
// result of the watched function is read. Without a mode, THRESHOLD checks at
// each packet; ThresholdPoll or ThresholdWindow is added for another mode.
const (
	ThresholdChar   ThresholdType = 0 // TYPE_CHAR: its first byte, 0 to 255
	ThresholdInt    ThresholdType = 1 // TYPE_INT: an int32
	ThresholdUint64 ThresholdType = 2 // TYPE_UNSIGNED_LONG_LONG: a uint64

	ThresholdPoll   ThresholdType = 64  // TR_POLL: check every timeout microseconds
	ThresholdWindow ThresholdType = 128 // TR_MW: check the increase within the last timeout microseconds
)

func (t ThresholdType) String() string {
	const modes = ThresholdPoll | ThresholdWindow
	text := word(map[ThresholdType]string{ThresholdChar: "char", ThresholdInt: "int", ThresholdUint64: "uint64"}, "type", t&^modes)
	if t&ThresholdPoll != 0 {
		text += "+poll"
	}
	if t&ThresholdWindow != 0 {
		text += "+window"
	}
	return text
}

// Boundary is a boundary of THRESHOLD.
type Boundary int

// Boundaries of THRESHOLD, with the values of the original API.
const (
	BoundaryEqual Boundary = 0 // TR_B_EQ: value = threshold
	BoundaryAbove Boundary = 1 // TR_B_POS: value > threshold
	BoundaryBelow Boundary = 2 // TR_B_NEG: value < threshold

	BoundaryDiffEqual Boundary = 4  // TR_B_D_EQ: like the above, for the difference from the last value
	BoundaryDiffAbove Boundary = 8  // TR_B_D_POS
	BoundaryDiffBelow Boundary = 16 // TR_B_D_NEG
)

func (b Boundary) String() string {
	return word(map[Boundary]string{
		BoundaryEqual: "equal", BoundaryAbove: "above", BoundaryBelow: "below",
		BoundaryDiffEqual: "difference equal", BoundaryDiffAbove: "difference above", BoundaryDiffBelow: "difference below",
	}, "boundary", b)
}

// Types of columns for RES2FILE, with the values of the original API. They are
// untyped numbers, because the function takes them as text: use fmt.Sprint.
const (
	R2FRaw    = 0 // R2F_RAW: the size of the result as a word, and its bytes
	R2FULLStr = 1 // R2F_ULLSTR: the first word as a number
	R2FULLSec = 2 // R2F_ULLSEC: the first word as a time in seconds with 12 decimals
	R2FStats  = 3 // R2F_STATS: count, sum, sum of squares, minimum and maximum of STATS
)
