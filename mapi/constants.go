package mapi

// Modes of SAMPLE, with the values of the original API.
const (
	SamplePeriodic      = 2 // every value-th packet passes
	SampleProbabilistic = 3 // a packet passes with a probability of value percent
)

// What PKTINFO tells of a packet, with the values of the original API.
const (
	PktTS   = 0 // its time stamp, 2^-32 seconds since 1970-01-01 UTC
	PktSize = 1 // its length on the wire in bytes
)

// AnyHeaders is added to the layer of HASH or the range of HASHSAMP, so that they
// look behind VLAN tags, MPLS labels and PPPoE, at IPv6, and at other link types than
// Ethernet and Cisco HDLC. The original has nothing like it.
const AnyHeaders = 1 << 16

// Types of BINOP, with the values of the original API.
const (
	BinopAdd = 0 // BINOP_ADD
	BinopSub = 1 // BINOP_SUB
)

// Types of THRESHOLD, with the values of the original API: how the result of the
// function that it watches is read. ThresholdPoll or ThresholdWindow is added for
// another mode than a look at each packet.
const (
	ThresholdChar   = 0 // TYPE_CHAR: its first byte, 0 to 255
	ThresholdInt    = 1 // TYPE_INT: an int32
	ThresholdUint64 = 2 // TYPE_UNSIGNED_LONG_LONG: a uint64

	ThresholdPoll   = 64  // TR_POLL: look every timeout microseconds
	ThresholdWindow = 128 // TR_MW: look at the increase within the last timeout microseconds
)

// Boundaries of THRESHOLD, with the values of the original API.
const (
	BoundaryEqual = 0 // TR_B_EQ: value = threshold
	BoundaryAbove = 1 // TR_B_POS: value > threshold
	BoundaryBelow = 2 // TR_B_NEG: value < threshold

	BoundaryDiffEqual = 4  // TR_B_D_EQ: as above, of the difference from the last value
	BoundaryDiffAbove = 8  // TR_B_D_POS
	BoundaryDiffBelow = 16 // TR_B_D_NEG
)

// Types of columns for RES2FILE, with the values of the original API.
const (
	R2FRaw    = 0 // R2F_RAW: the size of the result, as a word, and its bytes
	R2FULLStr = 1 // R2F_ULLSTR: the first word as a number
	R2FULLSec = 2 // R2F_ULLSEC: the first word as a time in seconds with 12 decimals
	R2FStats  = 3 // R2F_STATS: count, sum, sum of squares, minimum and maximum of STATS
)
