package filter

import "slices"

// roomy returns s with room for so many more. It gives long slices twice their room, where
// append gives them a quarter more and so leaves five times their size to be collected.
func roomy[S ~[]E, E any](s S, more int) S {
	if len(s)+more <= cap(s) {
		return s
	}
	return slices.Grow(s, max(len(s)+1, more))
}

// lengthened returns s with zeros behind it, up to a size, and room for growing.
func lengthened[S ~[]E, E any](s S, size int) S {
	if size <= len(s) {
		return s
	}
	from := len(s)
	s = roomy(s, size-len(s))[:size]
	clear(s[from:])
	return s
}
