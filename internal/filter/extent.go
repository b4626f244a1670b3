package filter

import "slices"

// An extent says that bytes up to end, counted from the value of base, must
// have been captured.
type extent struct {
	base termID
	end  uint64
}

// widen returns the extents of both lists, the longest of each base.
func widen(a, b []extent) []extent {
	if covers(a, b) {
		return a
	}
	out := slices.Clone(a)
	for _, e := range b {
		i := slices.IndexFunc(out, func(o extent) bool { return o.base == e.base })
		if i < 0 {
			out = append(out, e)
		} else {
			out[i].end = max(out[i].end, e.end)
		}
	}
	return out
}

// covers tells whether packets that have the extents of a have those of b.
func covers(a, b []extent) bool {
	for _, e := range b {
		if !slices.ContainsFunc(a, func(o extent) bool { return o.base == e.base && o.end >= e.end }) {
			return false
		}
	}
	return true
}
