package segment

// A queue holds the accumulators and nodes with pending sums, each at most once. The
// capture goroutine owns it.
type queue struct {
	ring         []uint32 // numbers: accumulators come first, then nodes
	first, n     int
	pending      int // accumulators plus results of nodes
	accumulators []accumulator
	nodes        []*node
}

// fit makes room for all accumulators and nodes, and numbers the nodes.
func (q *queue) fit(accumulators []accumulator, nodes []*node) {
	q.accumulators, q.nodes = accumulators, nodes
	for i, n := range nodes {
		n.number = uint32(len(accumulators) + i)
	}
	q.ring = make([]uint32, len(accumulators)+len(nodes))
}

// push adds an accumulator or a node with a number of pending results.
func (q *queue) push(number uint32, results int) {
	i := q.first + q.n
	if i >= len(q.ring) {
		i -= len(q.ring)
	}
	q.ring[i] = number
	q.n++
	q.pending += results
}

// at returns entry i of the queue.
func (q *queue) at(i int) int { return int(q.ring[(q.first+i)%len(q.ring)]) }

// drop removes the first k entries.
func (q *queue) drop(k int) { q.first, q.n = (q.first+k)%len(q.ring), q.n-k }

// flush flushes up to most results. An accumulator counts as one.
func (q *queue) flush(most int) {
	for q.n > 0 && most > 0 {
		if i := q.at(0) - len(q.accumulators); i >= 0 {
			most -= q.flushNode(q.nodes[i], most)
		} else {
			most -= q.flushAccumulators(min(most, together))
		}
	}
}

// flushNode flushes the sum of the node to up to most of its results, beginning at cursor.
// If the sum has grown since the first of them was flushed, the node is queued again.
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

// flushAccumulators flushes the next accumulators, up to most of them.
func (q *queue) flushAccumulators(most int) int {
	k := 0
	for k < most && k < q.n && q.at(k) < len(q.accumulators) { // in a loop of its own, for the reason in flushEach
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
