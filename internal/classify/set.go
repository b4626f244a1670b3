package classify

import "slices"

// A set of small numbers. A new stamp empties it at once.
type set struct {
	stamp uint32
	at    []uint32 // stamp with which a number was added
}

// next empties the set. It reports whether stamps start again, so that everything stamped
// elsewhere must be cleared.
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

// grow returns s with room for more elements. It doubles the capacity of a long slice;
// append adds only a quarter, which would leave five times its size as garbage.
func grow[S ~[]E, E any](s S, more int) S {
	if len(s)+more <= cap(s) {
		return s
	}
	return slices.Grow(s, max(len(s)+1, more))
}

// resize returns s extended with zeros to a size, with room to grow.
func resize[S ~[]E, E any](s S, size int) S {
	if size <= len(s) {
		return s
	}
	from := len(s)
	s = grow(s, size-len(s))[:size]
	clear(s[from:])
	return s
}
