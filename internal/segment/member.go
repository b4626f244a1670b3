package segment

import (
	"gomapi/internal/chain"
	"gomapi/internal/classify"
	"gomapi/internal/pkt"
)

// A member is the target of one prefilter: a single chain or a tree. If it has neither, its
// target is an accumulator.
type member struct {
	chain *chain.Chain
	tree  *node
}

func newMember(root *node) member {
	if len(root.next) == 0 && len(root.search.all) == 0 && len(root.suffixes) == 1 {
		return member{chain: root.suffixes[0].chain}
	}
	return member{tree: root}
}

// run runs the member with packets.
func (m member) run(x *run, in []*pkt.Packet) {
	if m.chain != nil {
		m.chain.Take(x.Host, in)
		return
	}
	m.tree.run(x, in)
}

// Scratch is the working memory of a loop for running members with their packets of a
// batch. Its size depends on the number of members.
type Scratch struct {
	matches *classify.Matches
	touched []uint32 // members with packets
	List    []*pkt.Packet
	fetched uint64 // keeps the compiler from dropping the loads of fetch
}

// NewScratch makes the working memory for segments without members.
func NewScratch() *Scratch { return newScratch(0) }

// newScratch makes working memory for a number of members, with half as many in reserve.
func newScratch(members int) *Scratch {
	n := members + members/2
	return &Scratch{
		matches: classify.NewMatches(n),
		touched: make([]uint32, 0, n),
		List:    make([]*pkt.Packet, 0, pkt.MaxBatch),
	}
}
