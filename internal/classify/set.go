package classify

import "slices"

// A set of small numbers is emptied at once, by a new stamp.
type set struct {
	stamp uint32
	at    []uint32 // stamp under which a number was added
}

// next empties the set. It reports whether stamps begin anew, so that what was
// stamped elsewhere must be forgotten.
func (s *set) next() bool {
	if s.stamp++; s.stamp != 0 {
		return false
	}
	s.stamp = 1
	clear(s.at)
	return true
}

// clear empties the set and makes room for numbers below size.
func (s *set) clear(size int) {
	s.next()
	s.at = resize(s.at, size)
}

func (s *set) has(i uint32) bool { return s.at[i] == s.stamp }

// add reports whether i was not in the set.
func (s *set) add(i uint32) bool {
	if s.at[i] == s.stamp {
		return false
	}
	s.at[i] = s.stamp
	return true
}

// grow returns s with room for so many more. It gives long slices twice their room,
// where append gives them a quarter more and so leaves five times their size to be
// collected.
func grow[S ~[]E, E any](s S, more int) S {
	if len(s)+more <= cap(s) {
		return s
	}
	return slices.Grow(s, max(len(s)+1, more))
}

// resize returns s with zeros behind it, up to a size, and room for growing.
func resize[S ~[]E, E any](s S, size int) S {
	if size <= len(s) {
		return s
	}
	from := len(s)
	s = grow(s, size-len(s))[:size]
	clear(s[from:])
	return s
}
