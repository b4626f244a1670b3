package content

import "bytes"

// maxNested is the maximum number of late strings that are suffixes of each
// other.
const maxNested = 16

// An automaton finds the strings of a set in time that depends on the length of
// the packet and the number of hits (Aho and Corasick, Communications of the
// ACM 18(6), 1975). It reads packets from byte from on.
//
// A string has two kinds of entries. Early entries begin at from. The first
// occurrence of the string decides them, and when a string was seen, so were
// all strings that are its suffixes. Late entries begin later and need an
// occurrence after their beginning, so the automaton must check them at each
// occurrence of the string. Some sets of strings would require a thousand
// checks for each byte. Strings with more than maxNested suffixes among the
// others are therefore searched separately, as by the flows themselves.
type automaton struct {
	from    uint32
	strings [][]byte
	root    [256]uint32 // nodes of one byte; 0: no string starts with it
	nodes   []node      // ordered by length; nodes[0] is the empty prefix
	labels  []byte      // last byte of each node
	entries []entry
	early   lists // string -> entries
	late    lists // string -> entries, in order of from
	alone   []uint32
}

// A node is a prefix of strings.
type node struct {
	first  uint32 // its children, prefixes that are one byte longer, are consecutive
	count  uint32
	fail   uint32 // longest proper suffix that is a node
	any    uint32 // longest suffix that is a string, possibly itself; 0: none
	late   uint32 // longest suffix that is a string with late entries; 0: none
	string uint32 // number of its string plus 1; 0: it is not a string
}

// progress is the state of the search in one packet.
type progress struct {
	seen marks
	done tallies // late entries that are finished
}

func newAutomaton(s *set) *automaton {
	a := &automaton{strings: s.strings, entries: s.entries}
	a.from, _ = s.bounds()
	a.addNodes()
	a.addEntries()
	return a
}

// addNodes creates the nodes. The strings are sorted, so those with a common
// prefix are consecutive.
func (a *automaton) addNodes() {
	type span struct{ lo, hi, length int } // strings that start with the node
	spans := []span{{0, len(a.strings), 0}}
	a.nodes, a.labels = append(a.nodes, node{}), append(a.labels, 0)
	for i := 0; i < len(a.nodes); i++ {
		at := spans[i]
		if at.length > 0 && len(a.strings[at.lo]) == at.length {
			at.lo++
			a.nodes[i].string = uint32(at.lo)
		}
		a.nodes[i].first = uint32(len(a.nodes))
		for lo := at.lo; lo < at.hi; {
			label := a.strings[lo][at.length]
			hi := lo + 1
			for hi < at.hi && a.strings[hi][at.length] == label {
				hi++
			}
			a.addChild(uint32(i), label)
			spans = append(spans, span{lo, hi, at.length + 1})
			lo = hi
		}
	}
}

func (a *automaton) addChild(parent uint32, label byte) {
	child := node{}
	if parent == 0 {
		a.root[label] = uint32(len(a.nodes))
	} else {
		child.fail = a.next(a.nodes[parent].fail, label)
	}
	a.nodes[parent].count++
	a.nodes, a.labels = append(a.nodes, child), append(a.labels, label)
}

// next returns the node for the longest suffix of node at followed by label.
func (a *automaton) next(at uint32, label byte) uint32 {
	for at != 0 {
		n := &a.nodes[at]
		if i := bytes.IndexByte(a.labels[n.first:n.first+n.count], label); i >= 0 {
			return n.first + uint32(i)
		}
		at = n.fail
	}
	return a.root[label]
}

// addEntries sorts the entries by kind, and links each node to the strings that
// are its suffixes. Suffixes are shorter and so come first.
func (a *automaton) addEntries() {
	var early, late []link
	for i, e := range a.entries {
		if e.from == a.from {
			early = append(early, link{e.text, uint32(i)})
		} else {
			late = append(late, link{e.text, uint32(i)})
		}
	}
	a.early, a.late = newLists(len(a.strings), early), newLists(len(a.strings), late)
	for i := range a.nodes {
		n := &a.nodes[i]
		n.any, n.late = a.nodes[n.fail].any, a.nodes[n.fail].late
		if n.string == 0 {
			continue
		}
		n.any = uint32(i)
		switch waiting := a.late.of(n.string - 1); {
		case len(waiting) == 0:
		case a.nested(n.late) >= maxNested:
			a.alone = append(a.alone, waiting...)
		default:
			n.late = uint32(i)
		}
	}
}

// nested returns the number of strings with late entries that are suffixes of
// each other, starting with node at.
func (a *automaton) nested(at uint32) (n int) {
	for ; at != 0; at = a.nodes[a.nodes[at].fail].late {
		n++
	}
	return n
}

// size returns the memory of a in bytes, without the strings, which belong to
// the patterns.
func (a *automaton) size() int {
	return 24*cap(a.nodes) + cap(a.labels) + 24*cap(a.strings) + 12*cap(a.entries) +
		a.early.size() + a.late.size() + 4*cap(a.alone)
}

// search passes the entries found in a packet to h. It returns false if h has
// no room left.
func (a *automaton) search(link []byte, s *progress, h *hitter) bool {
	s.seen.forget()
	s.done.forget()
	at := uint32(0)
	for i := int(a.from); i < len(link); i++ {
		at = a.next(at, link[i])
		n := &a.nodes[at]
		if n.any != 0 && !a.searchEarly(n.any, uint32(i+1), s, h) {
			return false
		}
		if n.late != 0 && !a.searchLate(n.late, uint32(i+1), s, h) {
			return false
		}
	}
	for _, e := range a.alone {
		if s.seen.has(a.entries[e].text) && a.contains(link, e) && !h.entry(e) {
			return false
		}
	}
	return true
}

// searchEarly handles the strings of node at and its suffixes, which end before
// byte end of the packet.
func (a *automaton) searchEarly(at, end uint32, s *progress, h *hitter) bool {
	for at != 0 {
		n := &a.nodes[at]
		if !s.seen.meet(n.string - 1) {
			break
		}
		for _, e := range a.early.of(n.string - 1) {
			if end <= a.entries[e].to && !h.entry(e) {
				return false
			}
		}
		at = a.nodes[n.fail].any
	}
	return true
}

// searchLate is searchEarly for late entries. It finishes the entries of a string
// that begin at or before this occurrence, because a later occurrence is no
// better for them.
func (a *automaton) searchLate(at, end uint32, s *progress, h *hitter) bool {
	for at != 0 {
		n := &a.nodes[at]
		text := n.string - 1
		done := s.done.of(text)
		for waiting := a.late.of(text); *done < uint32(len(waiting)); *done++ {
			e := &a.entries[waiting[*done]]
			if end < e.from+uint32(len(a.strings[text])) {
				break
			}
			if end <= e.to && !h.entry(waiting[*done]) {
				return false
			}
		}
		at = a.nodes[n.fail].late
	}
	return true
}

// contains searches a packet for one entry.
func (a *automaton) contains(link []byte, e uint32) bool {
	x := &a.entries[e]
	end := min(uint64(len(link)), uint64(x.to))
	return uint64(x.from) < end && bytes.Contains(link[x.from:end], a.strings[x.text])
}
