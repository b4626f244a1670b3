//go:build race

package testenv

// Race reports whether the race detector runs. It takes memory of its own for all that is used.
const Race = true
