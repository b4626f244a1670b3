package filter

// An entry says what to do with filters whose access test holds: the number of
// a bundle and what is still to be found out.
type entry uint32

const (
	verify     entry = 1 << iota // the program decides
	once                         // several entries may name the bundle
	exclude                      // of filters that match unless an entry says otherwise
	entryShift = iota
)

// A link is an element of the lists that an index leads to. Lists end at link 0.
// The lists of blocks go over into those of the blocks around them.
type link struct {
	entry  entry
	check  uint32 // with verify: the check that decides; noCheck: the program
	next   uint32
	member uint32 // of the bundle, or several
}

const several = ^uint32(0)

// An index finds the entries whose interval a value lies in. Intervals are cut
// into aligned blocks, of which two are either disjoint or one in the other.
type index struct {
	field field
	first uint32 // least value of dense and of segments
	dense []uint32
	slots []slot // hash of single values; the next free place follows
	odd   uint32 // factor of the hash
	shift uint8

	starts  []uint32 // of segments, ascending
	heads   []uint32 // their lists
	top     []uint32 // last segment that begins at or before each step of 1<<topShift
	topStep uint8
}

type slot struct{ value, head uint32 } // head 0: free

// find returns the first link for a value.
func (x *index) find(v uint32) uint32 {
	if x.dense != nil {
		if i := v - x.first; i < uint32(len(x.dense)) {
			return x.dense[i]
		}
		return 0
	}
	if x.slots != nil {
		mask := uint32(len(x.slots) - 1)
		for at := v * x.odd >> x.shift & mask; x.slots[at].head != 0; at = (at + 1) & mask {
			if x.slots[at].value == v {
				return x.slots[at].head
			}
		}
	}
	if x.starts == nil || v < x.first {
		return 0
	}
	return x.search(v)
}

// search looks for the segment of a value that is not below the first.
func (x *index) search(v uint32) uint32 {
	step := (v - x.first) >> x.topStep
	if step >= uint32(len(x.top)-1) {
		return 0
	}
	low, high := x.top[step], x.top[step+1]
	for low < high { // the last start up to v
		middle := (low + high + 1) / 2
		if x.starts[middle] <= v {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return x.heads[low]
}
