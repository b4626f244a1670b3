package engine

import (
	"sync/atomic"
	"unique"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/pkt"
)

// A branch is a function that chains have in common, with all that came before
// it: the function runs once for all of them. The root of a tree of branches is
// what one leading filter lets through; it has no function.
//
// Only functions without a state of their own are shared: those that pick packets by
// their bytes (flib.Classifier), and those that add up (flib.Accumulator), where what is
// added up is handed to each instance later. Which of the equal instances does the
// work does not matter, also when its flow is closed.
type branch struct {
	picker flib.Function // nil: not one that picks
	summer flib.Accumulator   // nil: not one that adds up
	next   []*branch
	// pattern is the number of what it searches for, for the level to answer;
	// search is the branches behind that search.
	pattern int32
	search  search
	tails   []tail
	sums    []sum // of the instances of summer
	cursor  int   // the next of them to be handed its sum
	queued  bool
	spares  uint64 // chains that need not run the function
	round   uint64 // total when the first was handed its sum

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
	if len(b.search.all) > 0 {
		b.search.run(l, lv, in)
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
		if !t.share.left.Load() {
			c.from(t.from, in)
		}
	default:
		c.take(l, in)
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
	level    *level
	patterns *patterns // that are searched for together
	sums     int       // branches that add up
	nested   int       // most searches one behind the other
}

// A sprout is a branch while the tree grows, with the chains that go through it.
type sprout struct {
	*branch
	chains   int
	searches bool // for a string, with others
	nested   int  // searches on the way to it
	kept     bool
	next     map[string]*sprout
	order    []*sprout
}

// root makes the tree of chains that have the same leading filter, or none.
func (g *grower) root(chains []settling) *branch {
	root := &sprout{branch: &branch{}}
	ways := make([][]*sprout, len(chains))
	for i, s := range chains {
		ways[i] = g.way(root, s)
	}
	for i, s := range chains {
		g.place(s.chain, root, ways[i])
	}
	g.prune(root)
	return root.branch
}

// way returns the branches through which a chain could go.
func (g *grower) way(root *sprout, s settling) (way []*sprout) {
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
			n = g.sprout(at, st, key)
		}
		n.chains++
		way, at = append(way, n), n
	}
	return way
}

// sprout makes the branch of a step behind another one.
func (g *grower) sprout(at *sprout, st *step, key string) *sprout {
	n := &sprout{branch: &branch{}, nested: at.nested}
	pattern, together := g.patterns.find(key)
	switch {
	case st.summer() != nil:
		n.summer = st.summer()
	case together:
		n.pattern, n.searches = pattern, true
		n.nested++
		g.nested = max(g.nested, n.nested)
	default:
		n.picker = st.fn
	}
	if at.next == nil {
		at.next = make(map[string]*sprout)
	}
	at.next[key] = n
	at.order = append(at.order, n)
	return n
}

// place puts a chain behind the last branch that it has in common with others, or
// that searches for a string.
func (g *grower) place(c *chain, root *sprout, way []*sprout) {
	n := 0
	for i, s := range way {
		if s.chains > 1 || s.searches {
			n = i + 1
		}
	}
	if n == 0 {
		root.tails = append(root.tails, tail{chain: c})
		return
	}
	p := &path{branches: []*branch{root.branch}}
	for i, s := range way[:n] {
		s.kept = true
		p.branches = append(p.branches, s.branch)
		if s.summer != nil {
			p.sums = append(p.sums, len(s.sums))
			s.sums = append(s.sums, sum{word: c.steps[i].summer().Total()})
		}
	}
	sh := &share{chain: c, ended: g.level.settled, path: p}
	g.level.shares = append(g.level.shares, sh)
	if n < len(c.steps) {
		last := way[n-1]
		last.tails = append(last.tails, tail{chain: c, from: n, share: sh})
	}
}

// prune leaves the branches through which chains go.
func (g *grower) prune(s *sprout) {
	for _, n := range s.order {
		if !n.kept {
			continue
		}
		n.spares = uint64(n.chains - 1)
		g.prune(n)
		if n.searches {
			s.branch.search.add(n.branch)
		} else {
			s.branch.next = append(s.branch.next, n.branch)
		}
	}
	if s.summer != nil {
		g.sums++
	}
}

// shareKey returns the kind of the function. It reports false for those that have a state
// of their own, or get packets that are not the originals.
func (s *step) shareKey() (string, bool) {
	if s.kind == (unique.Handle[string]{}) {
		return "", false
	}
	return s.kind.Value(), s.private == nil
}

// fitAnswers makes the database of what the chains search for.
func (g *grower) fitAnswers() (err error) {
	if len(g.patterns.list) == 0 {
		return nil
	}
	g.level.lists = make([]*pkt.Packet, 0, g.nested*drivers.MaxBatch)
	g.level.answers, err = newAnswers(g.patterns.list)
	return err
}
