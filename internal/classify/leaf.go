package classify

import "slices"

// A leaf holds the filters that one way through the decision tree leaves.
type leaf struct {
	every     uint32      // posting list of what is done for every packet
	byDefault []uint32    // groups that match unless an entry says otherwise
	lengths   []minLength // what packets must have for entries to be proven
	indexes   []index
}

const emptyLeaf int32 = 0 // no filter is left

// A minLength is how many bytes must be captured, behind an IPv4 header if header is
// not noHeader.
type minLength struct {
	header uint32 // offset of the byte with the header's length
	end    uint32
}

const noHeader = ^uint32(0)

// truncates tells whether a packet is too short for what the leaf relies on.
func (l *leaf) truncates(data []byte) bool {
	for _, n := range l.lengths {
		x := uint32(0)
		if n.header != noHeader {
			var ok bool
			if x, ok = headerLen(data, n.header); !ok {
				return true
			}
		}
		if uint64(x)+uint64(n.end) > uint64(len(data)) {
			return true
		}
	}
	return false
}

// minPacket is what packets can be relied on to have: the least frame that
// Ethernet carries, less its check sequence and tag. Where a packet is shorter
// than the loads in a leaf that end before, nothing counts as proven.
const minPacket = 64

// reliable returns those of the extents that lie in minPacket.
func (d *diagram) reliable(loads []extent) []extent {
	if !slices.ContainsFunc(loads, func(e extent) bool { return !d.isReliable(e) }) {
		return loads
	}
	return slices.DeleteFunc(slices.Clone(loads), func(e extent) bool { return !d.isReliable(e) })
}

func (d *diagram) isReliable(e extent) bool {
	if e.base == zeroTerm {
		return e.end <= minPacket
	}
	at, behind := d.headerAt(e.base)
	return behind && at < minPacket && e.end+20 <= minPacket
}

// minLengths returns what packets must have beyond the known.
func (d *diagram) minLengths(known, proven []extent) (lengths []minLength) {
	for _, e := range proven {
		if covers(known, []extent{e}) {
			continue
		}
		n := minLength{noHeader, uint32(e.end)}
		if e.base != zeroTerm {
			n.header, _ = d.headerAt(e.base)
		}
		lengths = append(lengths, n)
	}
	return lengths
}
