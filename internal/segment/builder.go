package segment

import (
	"sync/atomic"

	"gomapi/internal/chain"
	"gomapi/internal/pkt"
)

// A builder makes the trees of a segment. It decides which functions chains share: see way
// and place.
type builder struct {
	patterns     *patterns // searched for together
	accumulators accumulators
	nodes        []*node // nodes that add up
	nested       int     // largest number of searches on one path
	drained      *atomic.Bool
	attachments  []*chain.Attachment
	stats        Stats
}

// newBuilder makes a builder for a number of members.
func newBuilder(p *patterns, members int) *builder {
	b := &builder{patterns: p, drained: new(atomic.Bool)}
	b.accumulators.fit(members)
	return b
}

// A trieNode is a node while the tree grows.
type trieNode struct {
	*node
	chains   int                  // chains that could go through it
	searches bool                 // for a string, together with others
	nested   int                  // searches on the path to it
	kept     bool                 // some chain goes through it
	next     map[string]*trieNode // by share key
	order    []*trieNode          // the same, in order of creation
}

// root makes the tree of chains that have the same prefilter, or of those that have none.
func (b *builder) root(chains []Candidate) *node {
	root := &trieNode{node: &node{}}
	ways := make([][]*trieNode, len(chains))
	for i, c := range chains {
		ways[i] = b.way(root, c)
	}
	for i, c := range chains {
		b.place(c.Chain, root, ways[i])
	}
	b.prune(root)
	return root.node
}

// way returns the nodes through which a chain could go. Here two chains come to share a
// function: steps with equal share keys at the same place of the tree are one node. The way
// ends at the first step that cannot be shared.
func (b *builder) way(root *trieNode, c Candidate) (way []*trieNode) {
	at := root
	for i := range c.shareable() {
		st := &c.Chain.Steps[i]
		key, _ := st.SharedKey()
		n := at.next[key]
		if n == nil {
			n = b.grow(at, st, key)
		}
		n.chains++
		way, at = append(way, n), n
	}
	return way
}

// grow makes the node of a step behind the node at.
func (b *builder) grow(at *trieNode, st *chain.Step, key string) *trieNode {
	n := &trieNode{node: &node{}, nested: at.nested}
	pattern, together := b.patterns.find(key)
	switch {
	case st.Accumulator() != nil:
		n.accumulator = st.Accumulator()
	case together:
		n.pattern, n.searches = pattern, true
		n.nested++
		b.nested = max(b.nested, n.nested)
	default:
		n.picker = st.Fn
	}
	if at.next == nil {
		at.next = make(map[string]*trieNode)
	}
	at.next[key] = n
	at.order = append(at.order, n)
	return n
}

// place puts a chain behind the last node of its way that another chain uses too, or that
// searches for a string. The chain shares the nodes up to there; its further steps are its
// suffix. A chain that shares nothing is a suffix of the root.
func (b *builder) place(c *chain.Chain, root *trieNode, way []*trieNode) {
	n := 0
	for i, w := range way {
		if w.chains > 1 || w.searches {
			n = i + 1
		}
	}
	if n == 0 {
		root.suffixes = append(root.suffixes, suffix{chain: c})
		return
	}
	p := &path{nodes: []*node{root.node}}
	before := root
	for i, w := range way[:n] {
		w.kept = true
		w.bill.Add(c.Share, 1)
		if w.searches {
			before.search.bill.Add(c.Share, c.Steps[i].Searcher().Pattern().Size())
		}
		before = w
		p.nodes = append(p.nodes, w.node)
		if w.accumulator != nil {
			p.sums = append(p.sums, len(w.sums))
			w.sums = append(w.sums, sum{word: c.Steps[i].Accumulator().Total()})
		}
	}
	a := b.attach(c, p)
	if n < len(c.Steps) {
		last := way[n-1]
		last.suffixes = append(last.suffixes, suffix{chain: c, from: n, attachment: a})
	}
}

// attach makes the attachment of a chain to the segment.
func (b *builder) attach(c *chain.Chain, shared chain.Shared) *chain.Attachment {
	a := chain.NewAttachment(c, shared, b.drained)
	b.attachments = append(b.attachments, a)
	return a
}

// accumulate gives a member that has a single chain an accumulator. It returns false if
// the chain cannot have one.
func (b *builder) accumulate(member int, c Candidate) bool {
	if !b.accumulators.open(member, c) {
		return false
	}
	b.attach(c.Chain, &b.accumulators.list[member])
	b.stats.Accumulators++
	return true
}

// prune drops the nodes through which no chain goes.
func (b *builder) prune(t *trieNode) {
	for _, n := range t.order {
		if !n.kept {
			continue
		}
		n.spares = uint64(n.chains - 1)
		b.stats.Nodes++
		b.prune(n)
		if n.searches {
			t.node.search.add(n.node)
		} else {
			t.node.next = append(t.node.next, n.node)
		}
	}
	if t.accumulator != nil {
		b.nodes = append(b.nodes, t.node)
	}
}

// lists makes room for the packets that searches pass on.
func (b *builder) lists() []*pkt.Packet { return make([]*pkt.Packet, 0, b.nested*pkt.MaxBatch) }
