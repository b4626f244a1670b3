package filter

import "slices"

// minPacket is what packets can be relied on to have: the least frame that
// Ethernet carries, less its check sequence and tag. Where a packet is shorter
// than the loads in a leaf that end before, nothing counts as proven.
const minPacket = 64

// A need is that a number of bytes were captured, behind an IPv4 header if
// header is not noHeader.
type need struct {
	header uint32 // offset of the byte with the header's length
	end    uint32
}

const noHeader = ^uint32(0)

// lacks tells whether a packet is too short for what the leaf relies on.
func (l *leaf) lacks(data []byte) bool {
	for _, n := range l.needs {
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

// ordinary returns those of the extents that lie in minPacket.
func (b *builder) ordinary(loads []extent) []extent {
	if !slices.ContainsFunc(loads, func(e extent) bool { return !b.isOrdinary(e) }) {
		return loads
	}
	return slices.DeleteFunc(slices.Clone(loads), func(e extent) bool { return !b.isOrdinary(e) })
}

func (b *builder) isOrdinary(e extent) bool {
	if e.base == zeroTerm {
		return e.end <= minPacket
	}
	at, behind := b.headerAt(e.base)
	return behind && at < minPacket && e.end+20 <= minPacket
}

// covered tells whether all terms of a filter have values in ordinary packets.
func (b *builder) covered(root nodeID, known []extent) bool {
	ok := true
	b.survey.walk(root, func(t testID) {
		info := &b.info[b.nodes.tests[t].term]
		ok = ok && !info.divides && (covers(known, info.loads) || len(b.ordinary(info.loads)) == len(info.loads))
	})
	return ok
}

// loadsOf adds what the terms of a filter load.
func (b *builder) loadsOf(root nodeID, known []extent) []extent {
	b.survey.walk(root, func(t testID) { known = widen(known, b.info[b.nodes.tests[t].term].loads) })
	return known
}

// needs returns what packets must have beyond the known.
func (b *builder) needs(known, proven []extent) []need {
	var needs []need
	for _, e := range proven {
		if covers(known, []extent{e}) {
			continue
		}
		n := need{noHeader, uint32(e.end)}
		if e.base != zeroTerm {
			n.header, _ = b.headerAt(e.base)
		}
		needs = append(needs, n)
	}
	return needs
}
