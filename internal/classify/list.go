package classify

import (
	"math"
	"slices"
)

// A postingList is the list to which an index leads for a value, while the classifier is
// being made. List 0 is empty.
type postingList struct {
	from, to uint32 // in postingLists.postings
	around   uint32 // list of the block around it, which applies too
}

// postingLists are the lists of all indexes.
type postingLists struct {
	list     []postingList
	postings []posting
	copies   int // repeated postings
}

// Limits of repeated postings.
const (
	maxCopy   = 16      // of a list that another list repeats
	maxCopies = 1 << 20 // in all lists
)

// add adds the list of blocks and returns its number. It repeats a short list around it,
// so that the postings of a value are contiguous.
func (l *postingLists) add(blocks []block, around uint32) uint32 {
	n := postingList{from: uint32(len(l.postings)), around: around}
	if o := l.list[around]; l.copies < maxCopies && o.size() <= maxCopy {
		l.postings = append(l.postings, l.postings[o.from:o.to]...)
		l.copies += o.size()
		n.around = o.around
	}
	for _, b := range blocks {
		l.postings = append(grow(l.postings, 1), b.posting)
	}
	n.to = uint32(len(l.postings))
	l.list = append(grow(l.list, 1), n)
	return uint32(len(l.list) - 1)
}

func (l postingList) size() int { return int(l.to - l.from) }

// Finished lists are contiguous in Classifier.words. Each consists of a head, members
// that match without a test, tests, and other postings. The number of a list is then the
// place of its head. Place 0 has an empty list.
//
//	head     members, words of tests, words of postings, list around
//	test     member, tests in it, and for each: least value, width, step
//	posting  entry, check
//
// The upper half of a step is the number of the field. Below it are two outcomes, one
// byte each: for a value within the width from the least value, and for other values. An
// outcome is checkRefuse, checkAccept, or firstCheck plus the number of the next test.
const (
	headWords    = 4
	testWords    = 3
	postingWords = 2
)

// maxTestWords limits the words of tests in all lists to 32 MiB, because many blocks can
// have the same check. Further checks are left to postings.
const maxTestWords = 8 << 20

// encode returns the words of all lists, and the place of each list.
func (l *postingLists) encode(groups *groupSet, checks []check) (words, places []uint32) {
	w := encoder{groups: groups, checks: checks, words: make([]uint32, 0, headWords*len(l.list)+len(l.postings))}
	places = make([]uint32, len(l.list))
	for i, n := range l.list {
		places[i] = w.list(l.postings[n.from:n.to], places[n.around])
	}
	return slices.Clip(slices.Clone(w.words)), places
}

// An encoder makes the words of lists.
type encoder struct {
	groups                          *groupSet
	checks                          []check
	words, members, tests, postings []uint32
	numbers                         []uint32 // checks of the current test, in order
	spent                           int      // words of tests in all lists
}

// list writes a list and returns its place.
func (w *encoder) list(postings []posting, around uint32) uint32 {
	w.members, w.tests, w.postings = w.members[:0], w.tests[:0], w.postings[:0]
	for _, k := range postings {
		g := w.groups.groups[k.entry.group()]
		few := w.groups.members[g.from:g.to]
		switch {
		case k.entry&(verify|exclude|large) == 0:
			w.members = append(w.members, few...)
		case k.entry&(exclude|large) != 0 || k.check == noCheck || !w.test(few, k.check):
			w.postings = append(w.postings, uint32(k.entry), k.check)
		}
	}
	slices.Sort(w.members)
	w.members = slices.Compact(w.members)
	at := uint32(len(w.words))
	w.words = grow(w.words, headWords+len(w.members)+len(w.tests)+len(w.postings))
	w.words = append(w.words, uint32(len(w.members)), uint32(len(w.tests)), uint32(len(w.postings)), around)
	w.words = append(append(append(w.words, w.members...), w.tests...), w.postings...)
	return at
}

// test writes a check for members. It reports false if the check needs a posting.
func (w *encoder) test(members []uint32, check uint32) bool {
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

// number numbers the parts of a check.
func (w *encoder) number(check uint32) bool {
	if check < firstCheck || slices.Contains(w.numbers, check) {
		return true
	}
	k := &w.checks[check-firstCheck]
	w.numbers = append(w.numbers, check)
	return k.field <= math.MaxUint16 && w.number(k.yes) && w.number(k.no)
}

func (w *encoder) outcome(check uint32) uint32 {
	if check < firstCheck {
		return check
	}
	return firstCheck + uint32(slices.Index(w.numbers, check))
}
