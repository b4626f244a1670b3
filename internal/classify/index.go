package classify

// An index finds the posting list of a value: the postings of the access predicates that
// it satisfies. The intervals of these are divided into blocks.
type index struct {
	field  field
	first  uint32 // smallest value of dense and of ranges
	dense  []uint32
	slots  []slot   // hash table of single values, linear probing
	bitmap []uint64 // one bit for each used hash value, in little memory
	odd    uint32   // factor of the hash
	shift  uint8    // shift of the hash, for the bitmap

	ranges  []slot   // ascending; a value belongs to the last range that starts at or before it
	top     []uint32 // last range that starts at or before each multiple of 1<<topStep
	topStep uint8
}

// A slot leads from a value to a list. In the hash table, head 0 marks a free slot.
type slot struct{ value, head uint32 }

// find returns the list for a value.
func (x *index) find(v uint32) uint32 {
	if x.dense != nil {
		if i := v - x.first; i < uint32(len(x.dense)) {
			return x.dense[i]
		}
		return 0
	}
	if x.bitmap != nil {
		if h := x.hashed(v); x.bitmap[h/64]>>(h%64)&1 == 1 {
			if at := x.single(v, h/bitShare); at != 0 {
				return at
			}
		}
	}
	if x.ranges == nil || v < x.first {
		return 0
	}
	return x.search(v)
}

// bitShare is the number of bits in the bitmap per slot.
const bitShare = 4

// hashed returns the bit of a value.
func (x *index) hashed(v uint32) uint32 { return v * x.odd >> x.shift }

// single returns the list for a value in the slots, starting from the slot at.
func (x *index) single(v, at uint32) uint32 {
	mask := uint32(len(x.slots) - 1)
	for ; x.slots[at&mask].head != 0; at++ {
		if k := &x.slots[at&mask]; k.value == v {
			return k.head
		}
	}
	return 0
}

// search finds the range of a value that is not below the first.
func (x *index) search(v uint32) uint32 {
	step := (v - x.first) >> x.topStep
	if step >= uint32(len(x.top)-1) {
		return 0
	}
	low, high := x.top[step], x.top[step+1]
	for low < high { // the last start that is not above v
		middle := (low + high + 1) / 2
		if x.ranges[middle].value <= v {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return x.ranges[low].head
}

// move replaces the numbers of lists by their places.
func (x *index) move(places []uint32) {
	for i, n := range x.dense {
		x.dense[i] = places[n]
	}
	for i := range x.slots {
		x.slots[i].head = places[x.slots[i].head]
	}
	for i := range x.ranges {
		x.ranges[i].head = places[x.ranges[i].head]
	}
}
