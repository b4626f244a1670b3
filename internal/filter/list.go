package filter

import (
	"cmp"
	"slices"
)

// fewMembers is up to how many members of a bundle a list repeats.
const fewMembers = 4

// An entry says what to do with filters whose access test holds: the number of
// a bundle and what is still to be found out.
type entry uint32

const (
	verify     entry = 1 << iota // the check or the program decides
	once                         // several entries may name the bundle
	exclude                      // of filters that match unless an entry says otherwise
	large                        // the bundle has more than a few members
	entryShift = iota
)

// undecided are the entries that are not enough for a match.
const undecided = verify | once | exclude

func (e entry) bundle() uint32 { return uint32(e >> entryShift) }

// A list is what an index leads to for a value. List 0 is empty.
type list struct {
	plain, plainEnd uint32 // in lists.plain
	links           uint32 // in lists.links: first those that come once
	tests           uint32 // then those that checks decide
	rest, linksEnd  uint32 // then all others
	around          uint32 // the list of the block around it, which counts too
}

// A link is an entry of a list that is not plain.
type link struct {
	entry  entry
	check  uint32 // with verify: the check that decides; noCheck: the program
	member uint32 // the bundle's, or the place of the first
	count  uint32 // members
}

// Kinds of links.
const (
	onceKind = iota
	testKind
	restKind
)

func (k link) kind() int {
	switch {
	case k.entry&undecided == once:
		return onceKind
	case k.entry&(verify|exclude) == verify && k.check != noCheck:
		return testKind
	}
	return restKind
}

// lists are the lists of all indexes.
type lists struct {
	list   []list
	plain  []uint32 // members that match by their being here: those of one list in a row
	links  []link   // what is to be looked at, alike in a row
	copies int      // entries that lists repeat
}

// Bounds of copies.
const (
	maxCopy   = 16      // entries of a list that another one repeats
	maxCopies = 1 << 20 // of all lists
)

// add adds the list of blocks and returns its number. A short list around it is
// repeated in it, so that what counts for a value lies in a row.
func (l *lists) add(blocks []block, around uint32) uint32 {
	n := list{plain: uint32(len(l.plain)), links: uint32(len(l.links)), around: around}
	if o := l.list[around]; l.copies < maxCopies && o.size() <= maxCopy {
		l.plain = append(l.plain, l.plain[o.plain:o.plainEnd]...)
		l.links = append(l.links, l.links[o.links:o.linksEnd]...)
		l.copies += o.size()
		n.around = o.around
	}
	for _, b := range blocks {
		if b.entry&(undecided|large) == 0 {
			l.plain = append(l.plain, b.entry.bundle())
		} else {
			l.links = append(l.links, link{entry: b.entry, check: b.check})
		}
	}
	n.plainEnd, n.linksEnd = uint32(len(l.plain)), uint32(len(l.links))
	links := l.links[n.links:]
	slices.SortFunc(links, func(a, b link) int {
		return cmp.Or(cmp.Compare(a.kind(), b.kind()), cmp.Compare(a.entry&large, b.entry&large), cmp.Compare(a.entry, b.entry))
	})
	from := func(kind int) uint32 {
		i, _ := slices.BinarySearchFunc(links, kind, func(k link, kind int) int { return cmp.Compare(k.kind(), kind) })
		return n.links + uint32(i)
	}
	n.tests, n.rest = from(testKind), from(restKind)
	l.list = append(l.list, n)
	return uint32(len(l.list) - 1)
}

func (l list) size() int { return int(l.plainEnd - l.plain + l.linksEnd - l.links) }

// finish puts members in the place of bundles.
func (l *lists) finish(bundles []bundle, members []uint32) {
	var plain []uint32
	for i := range l.list {
		n, from := &l.list[i], uint32(len(plain))
		for _, b := range l.plain[n.plain:n.plainEnd] {
			plain = append(plain, members[bundles[b].from:bundles[b].to]...)
		}
		n.plain, n.plainEnd = from, uint32(len(plain))
	}
	l.plain = plain
	for i := range l.links {
		k := &l.links[i]
		b := bundles[k.entry.bundle()]
		k.member, k.count = b.from, b.to-b.from
		if k.count == 1 {
			k.member = members[b.from]
		}
	}
	l.list, l.plain, l.links = slices.Clip(slices.Clone(l.list)), slices.Clip(slices.Clone(l.plain)), slices.Clip(slices.Clone(l.links))
}
