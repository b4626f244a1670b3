package classify

import (
	"math/bits"

	"gomapi/internal/pkt"
)

// Matches are the packets of a batch that match each member. One goroutine at a time
// uses it.
type Matches struct {
	sets []pkt.Set // by member
	some []uint64  // members that have packets, a bit each
}

// NewMatches makes room for classifiers of so many members.
func NewMatches(members int) *Matches {
	return &Matches{sets: make([]pkt.Set, members), some: make([]uint64, (members+63)/64)}
}

// Room returns for how many members there is room.
func (m *Matches) Room() int { return len(m.sets) }

// add notes that a packet matches members.
func (m *Matches) add(packet uint32, members []uint32) {
	word, bit := packet/64, uint64(1)<<(packet%64)
	sets, some := m.sets, m.some
	for _, i := range members {
		sets[i][word] |= bit
		some[i/64] |= 1 << (i % 64)
	}
}

// Members appends the members that have packets to list, in order. Each must be taken
// before the next batch.
func (m *Matches) Members(list []uint32) []uint32 {
	for w, word := range m.some {
		if word == 0 {
			continue
		}
		for ; word != 0; word &= word - 1 {
			list = append(list, uint32(w*64+bits.TrailingZeros64(word)))
		}
		m.some[w] = 0
	}
	return list
}

// Take returns the packets of a member and forgets them.
func (m *Matches) Take(member uint32) pkt.Set {
	s := m.sets[member]
	m.sets[member] = pkt.Set{}
	return s
}
