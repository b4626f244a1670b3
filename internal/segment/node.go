package segment

import (
	"sync/atomic"

	"gomapi/flib"
	"gomapi/internal/chain"
	"gomapi/internal/pkt"
)

// A node is a function that chains have in common, with all that came before
// it: the function runs once for all of them. The root of a tree of nodes is
// what one prefilter lets through; it has no function.
//
// Only functions without a state of their own are shared: those that pick packets by
// their bytes (flib.Classifier), and those that add up (flib.Accumulator), where what is
// added up is given to each instance later. Which of the equal instances does the
// work does not matter, also when its flow is closed.
type node struct {
	picker      flib.Function    // nil: not one that picks
	accumulator flib.Accumulator // nil: not one that adds up
	next        []*node
	// pattern is the number of what it searches for, for the segment to answer;
	// search is the nodes behind that search.
	pattern  int32
	search   search
	suffixes []suffix
	sums     []sum  // of the instances of accumulator
	cursor   int    // the next of them to be flushed
	number   uint32 // in the queue
	queued   bool
	spares   uint64 // chains that need not run the function
	cycle    uint64 // total when the first was flushed

	// Since the segment began: packets that went on, and what they add up to. The
	// capture goroutine adds, anybody reads.
	out   atomic.Uint64
	total uint64 // the capture goroutine's
}

// A suffix is the rest of a chain that runs for itself, behind a node.
type suffix struct {
	chain      *chain.Chain
	from       int               // step with which it begins
	attachment *chain.Attachment // what is before it; nil: nothing
}

// run is what nodes need of the segment while it takes packets through them.
type run struct {
	*chain.Batch
	queue   *queue
	answers *answers      // nil: nothing to search for
	lists   []*pkt.Packet // those that searches are taking through their nodes
}

// run takes packets through the node and all that is behind it. It does not
// change in.
func (n *node) run(x *run, in []*pkt.Packet) {
	switch {
	case n.accumulator != nil:
		x.Spared.Add(n.spares * uint64(len(in)))
		n.total += n.accumulator.Sum(in)
		if !n.queued {
			n.push(x.queue)
		}
	case n.picker != nil:
		x.Spared.Add(n.spares * uint64(len(in)))
		in = n.picker.Process(in)
	}
	n.out.Add(uint64(len(in)))
	if len(in) == 0 {
		return
	}
	for _, m := range n.next {
		m.run(x, in)
	}
	if len(n.search.all) > 0 {
		n.search.run(x, in)
	}
	for i := range n.suffixes {
		n.suffixes[i].run(x, in)
	}
}

// push queues the node, all of whose results are pending.
func (n *node) push(q *queue) {
	n.queued = true
	q.push(n.number, len(n.sums))
}

// run takes packets through the rest of a chain. One in lockstep is only told about them;
// one that got there after it had become part of a tree has left this place.
func (s *suffix) run(x *run, in []*pkt.Packet) {
	c := s.chain
	switch {
	case c.Closed():
	case s.attachment == nil:
		c.Take(x.Batch, in)
	case !s.attachment.Detached():
		c.RunFrom(s.from, in)
	}
}

// A search is the nodes behind a node that search for a string.
type search struct {
	all       []*node
	byPattern map[int32]*node
}

func (s *search) add(n *node) {
	if s.byPattern == nil {
		s.byPattern = make(map[int32]*node)
	}
	s.all = append(s.all, n)
	s.byPattern[n.pattern] = n
}

// run takes those of the packets that contain a string through its node. It costs as
// much as strings are found, or as there are nodes if these are fewer.
func (s *search) run(x *run, in []*pkt.Packet) {
	a := x.answers
	a.ask(x.Batch, in)
	var here pkt.Set
	for _, p := range in {
		here.Add(x.Index(p))
	}
	if len(s.all) <= len(a.touched) {
		for _, n := range s.all {
			n.take(x, &here)
		}
		return
	}
	for _, p := range a.touched {
		if n := s.byPattern[p]; n != nil {
			n.take(x, &here)
		}
	}
}

// take runs the node with the packets that contain its string.
func (n *node) take(x *run, here *pkt.Set) {
	found := x.answers.found[n.pattern]
	for w := range found {
		found[w] &= here[w]
	}
	mark := len(x.lists)
	x.lists = x.Of(&found, x.lists)
	if list := x.lists[mark:]; len(list) > 0 {
		n.run(x, list)
	}
	x.lists = x.lists[:mark]
}

// A path is the nodes through which a chain goes, from the root on.
type path struct {
	nodes []*node
	sums  []int // where its functions that add up stand in the sums of their nodes
}

// results goes through the functions that add up.
func (p *path) results(each func(*node, *sum)) {
	at := 0
	for _, n := range p.nodes {
		if n.accumulator != nil {
			each(n, &n.sums[p.sums[at]])
			at++
		}
	}
}

// Functions implements chain.Shared.
func (p *path) Functions() int { return len(p.nodes) - 1 }

// Behind implements chain.Shared.
func (p *path) Behind(i int) uint64 { return p.nodes[i+1].out.Load() }

// Flush implements chain.Shared.
func (p *path) Flush() { p.results(func(n *node, s *sum) { s.flush(n.total) }) }

// Release implements chain.Shared.
func (p *path) Release() { p.results(func(_ *node, s *sum) { s.released.Store(true) }) }
