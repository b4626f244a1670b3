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
