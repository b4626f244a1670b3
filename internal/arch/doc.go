// Package arch holds the rules of the house as tests: which way imports point,
// where C and unsafe may stand, and that every package says what it is.
package arch
