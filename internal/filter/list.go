package filter

import (
	"math"
	"slices"
)

// fewMembers is up to how many members of a bundle a list repeats.
const fewMembers = 4

// An entry says what to do with filters whose access test holds: the number of
// a bundle and what is still to be found out.
type entry uint32

const (
	verify     entry = 1 << iota // the check or the program decides
	exclude                      // of filters that match unless an entry says otherwise
	large                        // the bundle has more than a few members
	entryShift = iota
)

func (e entry) bundle() uint32 { return uint32(e >> entryShift) }

// A link is an entry with what decides it.
type link struct {
	entry entry
	check uint32 // with verify: the check that decides; noCheck: the program
}

// A list is what an index leads to for a value, while the classifier is made. List 0
// is empty.
type list struct {
	from, to uint32 // in lists.links
	around   uint32 // the list of the block around it, which counts too
}

// lists are the lists of all indexes.
type lists struct {
	list   []list
	links  []link
	copies int // links that lists repeat
}

// Bounds of copies.
const (
	maxCopy   = 16      // links of a list that another one repeats
	maxCopies = 1 << 20 // of all lists
)

// add adds the list of blocks and returns its number. A short list around it is
// repeated in it, so that what counts for a value lies in a row.
func (l *lists) add(blocks []block, around uint32) uint32 {
	n := list{from: uint32(len(l.links)), around: around}
	if o := l.list[around]; l.copies < maxCopies && o.size() <= maxCopy {
		l.links = append(l.links, l.links[o.from:o.to]...)
		l.copies += o.size()
		n.around = o.around
	}
	for _, b := range blocks {
		l.links = append(roomy(l.links, 1), link{b.entry, b.check})
	}
	n.to = uint32(len(l.links))
	l.list = append(roomy(l.list, 1), n)
	return uint32(len(l.list) - 1)
}

func (l list) size() int { return int(l.to - l.from) }

// Finished lists lie one behind the other in Classifier.words: a head, then members
// that match by being there, tests, and links that need more. The number of a list is
// then the place of its head; at 0 is an empty one.
//
//	head   members, words of tests, words of links, list around
//	test   member, tests in it, and for each: least value, width, step
//	link   entry, check
//
// A step has the number of the field in its upper half; below are the outcomes, a byte
// each: when the value is within the width of the least one, and when not. An outcome
// is checkRefuse, checkAccept, or firstCheck and the number of a test behind it.
const (
	headWords = 4
	testWords = 3
	linkWords = 2
)

// maxTestWords bounds the words of tests in all lists, as many blocks can have the
// same check: 32 MiB. What does not fit is left to links.
const maxTestWords = 8 << 20

// finishLists brings the lists to words, and has the heads of indexes lead there.
func (c *Classifier) finishLists(all *lists) {
	w := writer{Classifier: c, words: make([]uint32, 0, headWords*len(all.list)+len(all.links))}
	places := make([]uint32, len(all.list))
	for i, l := range all.list {
		places[i] = w.list(all.links[l.from:l.to], places[l.around])
	}
	c.words = slices.Clip(slices.Clone(w.words))
	for i := range c.leaves {
		l := &c.leaves[i]
		l.every = places[l.every]
		for j := range l.indexes {
			l.indexes[j].move(places)
		}
	}
}

// A writer makes the words of lists.
type writer struct {
	*Classifier
	words, members, tests, links []uint32
	numbers                      []uint32 // checks of the test that is made, in order
	spent                        int      // words of tests in all lists
}

// list writes a list and returns its place.
func (w *writer) list(links []link, around uint32) uint32 {
	w.members, w.tests, w.links = w.members[:0], w.tests[:0], w.links[:0]
	for _, k := range links {
		b := w.bundles[k.entry.bundle()]
		few := w.Classifier.members[b.from:b.to]
		switch {
		case k.entry&(verify|exclude|large) == 0:
			w.members = append(w.members, few...)
		case k.entry&(exclude|large) != 0 || k.check == noCheck || !w.test(few, k.check):
			w.links = append(w.links, uint32(k.entry), k.check)
		}
	}
	slices.Sort(w.members)
	w.members = slices.Compact(w.members)
	at := uint32(len(w.words))
	w.words = roomy(w.words, headWords+len(w.members)+len(w.tests)+len(w.links))
	w.words = append(w.words, uint32(len(w.members)), uint32(len(w.tests)), uint32(len(w.links)), around)
	w.words = append(append(append(w.words, w.members...), w.tests...), w.links...)
	return at
}

// test writes a check for members. It reports false if that needs a link.
func (w *writer) test(members []uint32, check uint32) bool {
	w.numbers = w.numbers[:0]
	if !w.number(check) {
		return false
	}
	size := len(members) * (2 + testWords*len(w.numbers))
	if w.spent+size > maxTestWords {
		return false
	}
	w.spent += size
	for _, m := range members {
		w.tests = append(w.tests, m, uint32(len(w.numbers)))
		for _, n := range w.numbers {
			k := &w.checks[n-firstCheck]
			w.tests = append(w.tests, k.lo, k.width, k.field<<16|w.outcome(k.yes)<<8|w.outcome(k.no))
		}
	}
	return true
}

// number puts what a check consists of in an order.
func (w *writer) number(check uint32) bool {
	if check < firstCheck || slices.Contains(w.numbers, check) {
		return true
	}
	k := &w.checks[check-firstCheck]
	w.numbers = append(w.numbers, check)
	return k.field <= math.MaxUint16 && w.number(k.yes) && w.number(k.no)
}

func (w *writer) outcome(check uint32) uint32 {
	if check < firstCheck {
		return check
	}
	return firstCheck + uint32(slices.Index(w.numbers, check))
}

// move leads to the places of lists instead of their numbers.
func (x *index) move(places []uint32) {
	for i, n := range x.dense {
		x.dense[i] = places[n]
	}
	for i := range x.slots {
		x.slots[i].head = places[x.slots[i].head]
	}
	for i := range x.segments {
		x.segments[i].head = places[x.segments[i].head]
	}
}
