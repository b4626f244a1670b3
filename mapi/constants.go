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
