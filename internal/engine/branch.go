package engine

import (
	"fmt"
	"sync/atomic"

	"gomapi/flib"
	"gomapi/internal/pkt"
)

// A branch is a function that chains have in common, with all that came before
// it: the function runs once for all of them. The root of a tree of branches is
// what one leading filter lets through; it has no function.
//
// Only functions without a state of their own are shared: those that pick packets by
// their bytes (flib.Classifier), and those that add up (flib.Summer), where what is
// added up is handed to each instance later. Which of the equal instances does the
// work does not matter, also when its flow is closed.
type branch struct {
	picker flib.Function // nil: not one that picks
	summer flib.Summer   // nil: not one that adds up
	next   []*branch
	tails  []tail
	sums   []sum // of the instances of summer
	cursor int   // the next of them to be handed its sum
	queued bool
	spares uint64 // chains that need not run the function
	round  uint64 // total when the first was handed its sum

	// Since the level began: packets that went on, and what they add up to. The
	// capture goroutine adds, anybody reads.
	out   atomic.Uint64
	total uint64 // the capture goroutine's
}

// A tail is the rest of a chain that runs for itself, behind a branch.
type tail struct {
	chain *chain
	from  int    // step with which it begins
	share *share // what is before it; nil: nothing
}

// run takes packets through the branch and all that is behind it. It does not
// change in.
func (b *branch) run(l *loop, lv *level, in []*pkt.Packet) {
	switch {
	case b.summer != nil:
		l.spared.Add(b.spares * uint64(len(in)))
		b.total += b.summer.Sum(in)
		lv.dirty.push(b)
	case b.picker != nil:
		l.spared.Add(b.spares * uint64(len(in)))
		in = b.picker.Process(in)
	}
	b.out.Add(uint64(len(in)))
	if len(in) == 0 {
		return
	}
	for _, n := range b.next {
		n.run(l, lv, in)
	}
	for i := range b.tails {
		b.tails[i].run(l, in)
	}
}

// run takes packets through the rest of a chain. A tied one is only told about them;
// one that was tied after it had become part of a branch has left this place.
func (t *tail) run(l *loop, in []*pkt.Packet) {
	c := t.chain
	switch {
	case c.closed.Load():
	case t.share != nil:
		if c.share.Load() == t.share {
			c.from(t.from, in)
		}
	case c.tie != nil:
		c.tie.take(l, in)
	default:
		c.run(in)
	}
}

// A settling chain is what the settler knows of it when it begins to build.
type settling struct {
	chain *chain
	alone bool // it is not to be shared
	whole bool // it sees all packets: those from before its connect have passed
}

// A grower makes the trees of a level.
type grower struct {
	level *level
	sums  int // branches that add up
}

// A sprout is a branch while the tree grows, with the chains that go through it.
type sprout struct {
	*branch
	chains int
	depth  int // functions on the way to it
	next   map[string]*sprout
	order  []*sprout
}

// root makes the tree of chains that have the same leading filter, or none.
func (g *grower) root(chains []settling) *branch {
	root := &sprout{branch: &branch{}}
	ways := make([][]*sprout, len(chains))
	for i, s := range chains {
		ways[i] = root.way(s)
	}
	for i, s := range chains {
		g.place(s.chain, root, ways[i])
	}
	g.prune(root)
	return root.branch
}

// way returns the branches through which a chain could go.
func (root *sprout) way(s settling) (way []*sprout) {
	if s.alone || !s.whole {
		return nil
	}
	at := root
	for i := range s.chain.steps {
		st := &s.chain.steps[i]
		key, ok := st.shareKey()
		if !ok {
			break
		}
		n := at.next[key]
		if n == nil {
			n = &sprout{branch: st.branch(), depth: at.depth + 1}
			if at.next == nil {
				at.next = make(map[string]*sprout)
			}
			at.next[key] = n
			at.order = append(at.order, n)
		}
		n.chains++
		way, at = append(way, n), n
	}
	return way
}

// place puts a chain behind the last branch that it has in common with others.
func (g *grower) place(c *chain, root *sprout, way []*sprout) {
	n := 0
	for n < len(way) && way[n].chains > 1 {
		n++
	}
	if n == 0 {
		root.tails = append(root.tails, tail{chain: c})
		return
	}
	sh := &share{chain: c, path: []*branch{root.branch}}
	for i, s := range way[:n] {
		sh.path = append(sh.path, s.branch)
		if s.summer != nil {
			s.sums = append(s.sums, sum{chain: c, summer: c.steps[i].summer})
		}
	}
	g.level.shares = append(g.level.shares, sh)
	if n < len(c.steps) {
		last := way[n-1]
		last.tails = append(last.tails, tail{chain: c, from: n, share: sh})
	}
}

// prune leaves the branches that several chains have in common.
func (g *grower) prune(s *sprout) {
	for _, n := range s.order {
		if n.chains > 1 {
			n.spares = uint64(n.chains - 1)
			g.prune(n)
			s.branch.next = append(s.branch.next, n.branch)
		}
	}
	if s.summer != nil {
		g.sums++
	}
}

// shareKey names what the function does: functions with equal keys do the same with
// each packet. It reports false for those that have a state of their own, or get
// packets that are not the originals.
func (s *step) shareKey() (string, bool) {
	switch {
	case s.private != nil || s.def.Modifies:
		return "", false
	case s.classifier != nil:
		return s.def.Name + "\x00" + fmt.Sprint(s.args...), true
	case s.summer != nil:
		return s.def.Name + "\x00" + fmt.Sprint(s.args...), true
	}
	return "", false
}

// branch makes a branch of the step's function.
func (s *step) branch() *branch {
	if s.summer != nil {
		return &branch{summer: s.summer}
	}
	return &branch{picker: s.fn}
}
