package classify

import (
	"math/bits"

	"gomapi/internal/pkt"
)

// Matches holds, for each member, the packets of a batch that match. One goroutine at a
// time may use it.
type Matches struct {
	sets []pkt.Set // by member
	some []uint64  // members with packets, one bit each
}

// NewMatches makes room for the given number of members.
func NewMatches(members int) *Matches {
	return &Matches{sets: make([]pkt.Set, members), some: make([]uint64, (members+63)/64)}
}

// Room returns the number of members for which there is room.
func (m *Matches) Room() int { return len(m.sets) }

// add records that a packet matches members.
func (m *Matches) add(packet uint32, members []uint32) {
	word, bit := packet/64, uint64(1)<<(packet%64)
	sets, some := m.sets, m.some
	for _, i := range members {
		sets[i][word] |= bit
		some[i/64] |= 1 << (i % 64)
	}
}

// Members appends the members with packets to list, in order. Each must be taken before
// the next batch.
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

// Take returns and clears the packets of a member.
func (m *Matches) Take(member uint32) pkt.Set {
	s := m.sets[member]
	m.sets[member] = pkt.Set{}
	return s
}
