package content

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// A set is the normalized form of patterns: common parts occur once.
type set struct {
	strings [][]byte // distinct, in ascending order
	needles []needle
	entries []entry // ordered by needle
	// members lists the members of each distinct pattern, patterns the distinct
	// patterns that an entry finds.
	members, patterns lists
}

// An entry is a string to find within the bytes [from, to) of a packet.
type entry struct {
	text     uint32 // index in strings
	from, to uint32
}

// newSet converts patterns to a set.
func newSet(patterns []*Pattern) (*set, error) {
	s := &set{}
	distinct, err := s.distinct(patterns)
	if err != nil {
		return nil, err
	}
	for _, p := range distinct {
		s.strings = append(s.strings, p.Strings...)
	}
	slices.SortFunc(s.strings, bytes.Compare)
	s.strings = slices.CompactFunc(s.strings, bytes.Equal)
	of := s.findNeedles()
	s.findEntries(distinct, of)
	return s, nil
}

// distinct returns the distinct patterns, and stores the members of each.
func (s *set) distinct(patterns []*Pattern) ([]*Pattern, error) {
	var list []*Pattern
	var links []link
	index := make(map[string]uint32)
	strings, size := 0, 0
	for member, p := range patterns {
		if p == nil {
			continue
		}
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("search: pattern %d: %w", member, err)
		}
		key := p.key()
		id, known := index[key]
		if !known {
			strings += len(p.Strings)
			size += len(key)
			if strings > MaxStrings || size > MaxBytes {
				return nil, fmt.Errorf("search: the patterns have more than %d strings or %d bytes in total", MaxStrings, MaxBytes)
			}
			id = uint32(len(list))
			index[key] = id
			list = append(list, p)
		}
		links = append(links, link{id, uint32(member)})
	}
	s.members = newLists(len(list), links)
	return list, nil
}

// Size is the share of the pattern in MaxBytes: its strings and a small
// overhead for each.
func (p *Pattern) Size() int { return len(p.key()) }

// key returns the same string for patterns whose form implies that they match
// the same packets.
func (p *Pattern) key() string {
	texts := slices.Clone(p.Strings)
	slices.SortFunc(texts, bytes.Compare)
	texts = slices.CompactFunc(texts, bytes.Equal)
	from, to := p.window()
	b := binary.BigEndian.AppendUint32(nil, from)
	b = binary.BigEndian.AppendUint32(b, to)
	for _, t := range texts {
		b = binary.AppendUvarint(b, uint64(len(t)))
		b = append(b, t...)
	}
	return string(b)
}

// findEntries creates the entries of the patterns, ordered by needle. of is the
// needle of each string.
func (s *set) findEntries(patterns []*Pattern, of []uint32) {
	found := make(map[entry][]uint32)
	for id, p := range patterns {
		from, to := p.window()
		for _, t := range p.Strings {
			text, _ := slices.BinarySearchFunc(s.strings, t, bytes.Compare)
			e := entry{uint32(text), from, to}
			if _, known := found[e]; !known {
				s.entries = append(s.entries, e)
			}
			if in := found[e]; len(in) == 0 || in[len(in)-1] != uint32(id) {
				found[e] = append(in, uint32(id))
			}
		}
	}
	slices.SortFunc(s.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(of[a.text], of[b.text]), cmp.Compare(a.text, b.text),
			cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	var links []link
	for i, e := range s.entries {
		n := &s.needles[of[e.text]]
		if n.count == 0 {
			n.first = uint32(i)
		}
		n.count++
		for _, id := range found[e] {
			links = append(links, link{uint32(i), id})
		}
	}
	s.patterns = newLists(len(s.entries), links)
}

// hits returns the maximum number of hits of entry i.
func (s *set) hits(i uint32) (n int) {
	for _, p := range s.patterns.of(i) {
		n += len(s.members.of(p))
	}
	return n
}

// bounds returns the bytes [from, to) of packets that contain all entries.
func (s *set) bounds() (from, to uint32) {
	from = math.MaxUint32
	for _, e := range s.entries {
		from, to = min(from, e.from), max(to, e.to)
	}
	return from, to
}

// lists is many lists in two arrays: list i is items[start[i]:start[i+1]].
type lists struct{ start, items []uint32 }

// A link adds item to to list from.
type link struct{ from, to uint32 }

// newLists creates n lists. Within a list the order of links is preserved.
func newLists(n int, links []link) lists {
	l := lists{make([]uint32, n+1), make([]uint32, len(links))}
	for _, k := range links {
		l.start[k.from+1]++
	}
	for i := range n {
		l.start[i+1] += l.start[i]
	}
	next := slices.Clone(l.start)
	for _, k := range links {
		l.items[next[k.from]] = k.to
		next[k.from]++
	}
	return l
}

func (l *lists) of(i uint32) []uint32 { return l.items[l.start[i]:l.start[i+1]] }

func (l *lists) len() int { return len(l.start) - 1 }

func (l *lists) size() int { return 4 * (cap(l.start) + cap(l.items)) }
