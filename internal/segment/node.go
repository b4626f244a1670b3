package segment

import (
	"sync/atomic"

	"gomapi/flib"
	"gomapi/internal/chain"
	"gomapi/internal/pkt"
	"gomapi/internal/share"
)

// A node is a function that chains share, together with all functions before it. It runs
// once for all of them. The root of a tree has no function: it gets the packets that one
// prefilter lets through.
//
// Only functions without a state of their own are shared: those that pick packets by
// their bytes (flib.Classifier, flib.Searcher) and those that add up (flib.Accumulator).
// The node keeps one sum and flushes it to the result of each instance. The node runs the
// function of one of the instances, also after the flow of that instance is closed.
type node struct {
	picker      flib.Function    // nil: does not pick
	accumulator flib.Accumulator // nil: does not add up
	next        []*node
	// pattern is the number of the pattern that the node itself searches for; the
	// segment's answers tell which packets contain it. search has the nodes behind this
	// one that search.
	pattern  int32
	search   search
	suffixes []suffix
	bill     share.Bill // of the function
	sums     []sum      // one for each instance of accumulator
	cursor   int        // index of the next sum to flush
	number   uint32     // in the queue
	queued   bool
	failed   bool   // the function must not run any more
	spares   uint64 // chains that need not run the function
	cycle    uint64 // total when the first sum was flushed

	// Since the segment began. The capture goroutine adds to both.
	out   atomic.Uint64 // packets that went on; any goroutine reads it
	total uint64        // sum of accumulator; only the capture goroutine reads it
}

// A suffix is the rest of a chain behind a node, which runs for this chain alone.
type suffix struct {
	chain      *chain.Chain
	from       int               // first step
	attachment *chain.Attachment // the functions before; nil: none
}

// run is the state that nodes need while their segment runs them.
type run struct {
	*chain.Host
	queue   *queue
	fail    func(n *node, in []*pkt.Packet, value any) // a function has failed
	answers *answers                                   // nil: nothing to search for
	lists   []*pkt.Packet                              // stack of the packets that searches pass to their nodes
}

// run runs the node and all that is behind it. It does not change in.
func (n *node) run(x *run, in []*pkt.Packet) {
	if n.accumulator != nil || n.picker != nil {
		in = n.process(x, in)
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

// process runs the function of the node and returns the packets that go on. A fault ends all
// chains that share the function.
func (n *node) process(x *run, in []*pkt.Packet) (out []*pkt.Packet) {
	if n.failed {
		return nil
	}
	if x.Meter.On {
		x.Meter.ToAll(&n.bill)
	}
	defer func() {
		if value := recover(); value != nil {
			x.fail(n, in, value)
		}
	}()
	x.Spared.Add(n.spares * uint64(len(in)))
	if n.accumulator == nil {
		out = n.picker.Process(in)
		chain.CheckPassed(in, out)
		return out
	}
	n.total += n.accumulator.Sum(in)
	if !n.queued {
		n.push(x.queue)
	}
	return in
}

// push queues the node: all its results are pending.
func (n *node) push(q *queue) {
	n.queued = true
	q.push(n.number, len(n.sums))
}

// run runs the suffix, unless the chain must be skipped or has detached. A chain in lockstep
// only sets the packets aside.
func (s *suffix) run(x *run, in []*pkt.Packet) {
	c := s.chain
	switch {
	case c.Skipped():
	case s.attachment == nil:
		c.Take(x.Host, in)
	case s.attachment.Detached():
	case x.Meter.On && !x.Meter.To(c.Share):
		c.MissRest(in)
	default:
		c.RunFrom(s.from, in)
	}
}

// A search is the string-searching nodes behind a node.
type search struct {
	all       []*node
	byPattern map[int32]*node
	bill      share.Bill // of the scan
}

func (s *search) add(n *node) {
	if s.byPattern == nil {
		s.byPattern = make(map[int32]*node)
	}
	s.all = append(s.all, n)
	s.byPattern[n.pattern] = n
}

// run runs each node with the packets that contain its string. The cost depends on the
// number of strings found or the number of nodes, whichever is smaller.
func (s *search) run(x *run, in []*pkt.Packet) {
	a := x.answers
	if x.Meter.On {
		x.Meter.ToAll(&s.bill)
	}
	a.ask(x.Host, in)
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
	sums  []int // for each node that adds up: index of the chain's sum in node.sums
}

// results calls each for every node that adds up, with the sum of this chain.
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
