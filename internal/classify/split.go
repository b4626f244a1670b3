package classify

import "math"

// A split is an inner node of the decision tree. It reads one field and leads to the next
// split or leaf. References are numbers of splits, or complements of the numbers of
// leaves.
type split struct {
	field field
	fail  int32 // for packets in which the field has no value
	shift uint8
	top   [256]int32 // for values that begin with these bits; divided: see start
	start []uint32   // starts of intervals of values, ascending from 0
	next  []int32    // where the intervals lead
}

// divided says that values with the same first bits lead to different places.
const divided = math.MinInt32

// lead returns where a value leads.
func (s *split) lead(v uint32) int32 {
	if to := s.top[uint8(v>>s.shift)]; to != divided {
		return to
	}
	return s.search(v)
}

func (s *split) search(v uint32) int32 {
	i := 0
	for i+1 < len(s.start) && s.start[i+1] <= v {
		i++
	}
	return s.next[i]
}

// fill makes the table over the first bits of values up to limit.
func (s *split) fill(limit uint32) {
	for limit>>s.shift > 255 {
		s.shift++
	}
	for i := range s.top {
		low := uint32(i) << s.shift
		high := low | (1<<s.shift - 1)
		s.top[i] = s.search(low)
		for j, start := range s.start {
			if low < start && start <= high && s.next[j] != s.top[i] {
				s.top[i] = divided
				break
			}
		}
	}
}
