package mapi

// Modes of SAMPLE, with the values of the original API.
const (
	SamplePeriodic      = 2 // every value-th packet passes
	SampleProbabilistic = 3 // a packet passes with a probability of value percent
)

// Types of columns for RES2FILE, with the values of the original API.
const (
	R2FRaw    = 0 // R2F_RAW: the size of the result, as a word, and its bytes
	R2FULLStr = 1 // R2F_ULLSTR: the first word as a number
	R2FULLSec = 2 // R2F_ULLSEC: the first word as a time in seconds with 12 decimals
	R2FStats  = 3 // R2F_STATS: count, sum, sum of squares, minimum and maximum of STATS
)
