package segment

import (
	"gomapi/internal/chain"
	"gomapi/internal/classify"
	"gomapi/internal/pkt"
)

// A member is what one prefilter lets packets through to: a single chain, a tree, or if
// there is neither an accumulator.
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

// run takes packets through the member.
func (m member) run(x *run, in []*pkt.Packet) {
	if m.chain != nil {
		m.chain.Take(x.Batch, in)
		return
	}
	m.tree.run(x, in)
}

// Scratch is what a loop needs to run members with their packets of a batch. It
// grows with the number of members.
type Scratch struct {
	matches *classify.Matches
	touched []uint32 // members with packets
	List    []*pkt.Packet
	fetched uint64 // so that fetch is not in vain
}

// NewScratch makes room for segments without members.
func NewScratch() *Scratch { return newScratch(0) }

// newScratch makes room for more than so many members.
func newScratch(members int) *Scratch {
	n := members + members/2
	return &Scratch{
		matches: classify.NewMatches(n),
		touched: make([]uint32, 0, n),
		List:    make([]*pkt.Packet, 0, pkt.MaxBatch),
	}
}
