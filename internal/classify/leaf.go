package classify

import "slices"

// A leaf holds the filters that remain after one way through the decision tree.
type leaf struct {
	every     uint32      // posting list that is processed for every packet
	byDefault []uint32    // groups that match unless an entry says otherwise
	lengths   []minLength // lengths that packets must have for proven entries
	indexes   []index
}

const emptyLeaf int32 = 0 // no filter remains

// A minLength is the number of bytes that must be captured, counted behind an IPv4 header
// unless header is noHeader.
type minLength struct {
	header uint32 // offset of the byte with the header's length
	end    uint32
}

const noHeader = ^uint32(0)

// truncates reports whether a packet is too short for the assumptions of the leaf.
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

// minPacket is the assumed minimum length of packets: the minimum Ethernet frame, without
// its check sequence and tag. If a packet is too short for the loads of a leaf below this
// length, its entries do not count as proven.
const minPacket = 64

// reliable returns the extents that lie within minPacket.
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

// minLengths returns the lengths that packets must have beyond the known extents.
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
