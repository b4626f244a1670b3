package segment

import (
	"cmp"
	"maps"
	"slices"

	"gomapi/internal/content"
	"gomapi/internal/fair"
)

// patterns are what the chains of a segment search for together, while it is built. Each takes a
// part of what one database can hold. Patterns for which there is no place are searched for one by
// one.
type patterns struct {
	wanted []wanted
	of     map[string]int       // in wanted, by share key of the function
	claims map[uint32][]int     // of each user, in wanted
	listed map[claimed]struct{} // what claims has
	list   []*content.Pattern   // those with a place
}

// A wanted is a pattern that some chains search for.
type wanted struct {
	*content.Pattern
	bytes  int
	number int32 // in the database; -1: none
}

// A claimed is a pattern that a user searches for.
type claimed struct {
	user    uint32
	pattern int
}

func newPatterns() *patterns {
	return &patterns{of: make(map[string]int), claims: make(map[uint32][]int), listed: make(map[claimed]struct{})}
}

// collect adds the patterns of chains which some packet could reach, and for which they can search
// together: only functions that can be shared are before them.
func (p *patterns) collect(chains []Candidate) {
	for _, c := range chains {
		for i := range c.shareable() {
			st := &c.Chain.Steps[i]
			s := st.Searcher()
			if s == nil {
				continue
			}
			if s.Pattern().Impossible() {
				break
			}
			key, _ := st.SharedKey()
			p.claim(c.User, key, s.Pattern())
		}
	}
}

// claim notes that a user searches for a pattern.
func (p *patterns) claim(user uint32, key string, pattern *content.Pattern) {
	i, known := p.of[key]
	if !known {
		i = len(p.wanted)
		p.of[key] = i
		p.wanted = append(p.wanted, wanted{pattern, pattern.Size(), -1})
	}
	if _, known := p.listed[claimed{user, i}]; !known {
		p.listed[claimed{user, i}] = struct{}{}
		p.claims[user] = append(p.claims[user], i)
	}
}

// search makes the database of the patterns. If it cannot be made, search tries with less, and
// returns the error if even little is too much.
func (p *patterns) search() (a *answers, err error) {
	const least = 1.0 / 16
	for whole := 1.0; whole >= least; whole /= 2 {
		if p.fill(whole); len(p.list) == 0 {
			break
		}
		if a, err = newAnswers(p.list); err == nil {
			return a, nil
		}
	}
	p.fill(0)
	return nil, err
}

// fill gives places to patterns, up to a part of what a database can hold. All users can have equal
// parts of it, their smallest patterns first. A pattern of several users counts once, for the one
// who gets it first.
func (p *patterns) fill(whole float64) {
	p.list = p.list[:0]
	for i := range p.wanted {
		p.wanted[i].number = -1
	}
	strings, bytes := int(whole*content.MaxStrings), int(whole*content.MaxBytes)
	cost := func(i int) float64 {
		if p.wanted[i].number >= 0 {
			return 0
		}
		return p.wanted[i].part()
	}
	fair.Fill(p.sorted(), cost, func(i int) (float64, bool) {
		w, part := &p.wanted[i], cost(i)
		if part == 0 {
			return 0, true
		}
		if len(w.Strings) > strings || w.bytes > bytes {
			return 0, false
		}
		strings -= len(w.Strings)
		bytes -= w.bytes
		w.number = int32(len(p.list))
		p.list = append(p.list, w.Pattern)
		return part, true
	})
}

// part returns the part of a database that the pattern takes, which is more than 0.
func (w *wanted) part() float64 {
	return max(float64(len(w.Strings))/content.MaxStrings, float64(w.bytes)/content.MaxBytes)
}

// sorted returns the claims of the users, the smallest patterns first.
func (p *patterns) sorted() (claims []*fair.Claim) {
	for _, user := range slices.Sorted(maps.Keys(p.claims)) {
		items := p.claims[user]
		slices.SortFunc(items, func(i, j int) int {
			return cmp.Or(cmp.Compare(p.wanted[i].part(), p.wanted[j].part()), cmp.Compare(i, j))
		})
		claims = append(claims, &fair.Claim{Items: items})
	}
	return claims
}

// find returns the number of a function's pattern in the database.
func (p *patterns) find(key string) (int32, bool) {
	i, known := p.of[key]
	if !known || p.wanted[i].number < 0 {
		return 0, false
	}
	return p.wanted[i].number, true
}

// omitted returns how many patterns have no place.
func (p *patterns) omitted() int { return len(p.wanted) - len(p.list) }
