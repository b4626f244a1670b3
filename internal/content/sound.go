package content

import (
	"errors"
	"sync"

	"gomapi/internal/pkt"
)

// errUnsound is why libhs is not used.
var errUnsound = errors.New("the libhs of this machine misses strings, as Vectorscan 5.4.9 does: " +
	"searches are slower than with Hyperscan (on Debian for amd64: package libhyperscan-dev)")

// Sound returns an error if libhs misses strings. Databases then search with
// the automaton alone. The check runs once and takes some milliseconds.
func Sound() error { return sound() }

var sound = sync.OnceValue(func() error {
	for _, texts := range trials {
		if !tryOut(texts) {
			return errUnsound
		}
	}
	return nil
})

// trials are sets of strings for which Vectorscan 5.4.9 misses occurrences.
var trials = [][]string{
	{"a", "ab"}, {"a", "ba"}, {"cb", "aabaaaba"}, {"bddb", "dacbb", "cabddbba", "cbbaba"},
	{"aaabbbac", "abaa", "cabca", "aabbbab", "abbbbccc", "accbccc"},
}

// trialBytes is the size of a packet of a trial, several times the size of the
// blocks that libhs reads.
const trialBytes = 200

// tryOut reports whether libhs finds each string at each position of a packet.
func tryOut(texts []string) bool {
	var patterns []*Pattern
	for _, t := range texts {
		patterns = append(patterns, &Pattern{Strings: [][]byte{[]byte(t)}})
	}
	d, err := newDatabase(patterns, true)
	if err != nil {
		return false
	}
	defer d.Close()
	var s Scratch
	defer s.Close()
	if s.Fit(d) != nil {
		return false
	}
	hits := make([]Hit, 0, len(patterns))
	for _, t := range texts {
		for at := range trialBytes - len(t) + 1 {
			link := make([]byte, trialBytes)
			copy(link[at:], t)
			_, hits = d.Scan(&s, []*pkt.Packet{{Link: link}}, hits[:0])
			if !allFound(patterns, link, hits) {
				return false
			}
		}
	}
	return true
}

// allFound reports whether hits are exactly the patterns in a packet.
func allFound(patterns []*Pattern, link []byte, hits []Hit) bool {
	found := make(map[uint32]bool)
	for _, h := range hits {
		found[h.Pattern] = true
	}
	for i, p := range patterns {
		if p.Match(link) != found[uint32(i)] {
			return false
		}
	}
	return true
}
