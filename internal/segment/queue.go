package segment

// A queue holds the accumulators, and the nodes that add up, whose sums are not in all
// results yet, each once. It belongs to the capture goroutine.
type queue struct {
	ring         []uint32 // accumulators by number, then nodes
	first, n     int
	pending      int // accumulators, and results of nodes
	accumulators []accumulator
	nodes        []*node
}

// fit makes room for all of them, and numbers the nodes.
func (q *queue) fit(accumulators []accumulator, nodes []*node) {
	q.accumulators, q.nodes = accumulators, nodes
	for i, n := range nodes {
		n.number = uint32(len(accumulators) + i)
	}
	q.ring = make([]uint32, len(accumulators)+len(nodes))
}

// push puts one in, for which results are pending.
func (q *queue) push(number uint32, results int) {
	i := q.first + q.n
	if i >= len(q.ring) {
		i -= len(q.ring)
	}
	q.ring[i] = number
	q.n++
	q.pending += results
}

// at returns the number that is i places behind the first.
func (q *queue) at(i int) int { return int(q.ring[(q.first+i)%len(q.ring)]) }

// drop takes the first k out.
func (q *queue) drop(k int) { q.first, q.n = (q.first+k)%len(q.ring), q.n-k }

// flush adds to the results of up to so many, an accumulator counting as one.
func (q *queue) flush(most int) {
	for q.n > 0 && most > 0 {
		if i := q.at(0) - len(q.accumulators); i >= 0 {
			most -= q.flushNode(q.nodes[i], most)
		} else {
			most -= q.flushAccumulators(min(most, together))
		}
	}
}

// flushNode adds the sum of the node to those of its results that are next. One that has
// added up more since the first of them comes again.
func (q *queue) flushNode(n *node, most int) int {
	if n.cursor == 0 {
		n.cycle = n.total
	}
	some := n.sums[n.cursor:][:min(most, len(n.sums)-n.cursor)]
	flushEach(some, n.total)
	n.cursor += len(some)
	q.pending -= len(some)
	if n.cursor < len(n.sums) {
		return len(some)
	}
	n.cursor, n.queued = 0, false
	q.drop(1)
	if n.cycle != n.total {
		n.push(q)
	}
	return len(some)
}

// flushAccumulators adds the sums of the accumulators that are next, up to most of them.
func (q *queue) flushAccumulators(most int) int {
	k := 0
	for k < most && k < q.n && q.at(k) < len(q.accumulators) { // first, for the reason that flushEach has
		q.accumulators[q.at(k)].fetch()
		k++
	}
	for i := range k {
		a := &q.accumulators[q.at(i)]
		a.Flush()
		a.queued = false
	}
	q.drop(k)
	q.pending -= k
	return k
}
