package mapi

// Modes of SAMPLE, with the values of the original API.
const (
	SamplePeriodic      = 2 // every value-th packet passes
	SampleProbabilistic = 3 // a packet passes with a probability of value percent
)
