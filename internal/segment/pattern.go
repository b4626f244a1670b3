package segment

import (
	"cmp"
	"slices"

	"gomapi/internal/content"
)

// patterns are what the chains of a segment search for together, while it is built.
type patterns struct {
	list  []*content.Pattern
	index map[string]int32 // by share key of the function; -1: left out
}

// newPatterns takes the patterns of chains, the smallest first, as many as one database
// can hold: so large patterns of one client do not displace those of others. Patterns left
// out are searched for one by one.
func newPatterns(chains []Candidate) *patterns {
	p := &patterns{index: make(map[string]int32)}
	var keys []string
	size := make(map[string]int)
	for _, c := range chains {
		for i := range c.Chain.Steps {
			st := &c.Chain.Steps[i]
			searcher := st.Searcher()
			if searcher == nil {
				continue
			}
			key, _ := st.SharedKey()
			if _, known := p.index[key]; !known {
				p.index[key] = -1
				keys, size[key] = append(keys, key), searcher.Pattern().Size()
				p.list = append(p.list, searcher.Pattern())
			}
		}
	}
	p.number(keys, size)
	return p
}

// number numbers the patterns, which have these keys, and drops those that do not fit.
func (p *patterns) number(keys []string, size map[string]int) {
	order := make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(size[keys[a]], size[keys[b]]) })
	var list []*content.Pattern
	strings, bytes := 0, 0
	for _, i := range order {
		strings += len(p.list[i].Strings)
		bytes += size[keys[i]]
		if strings > content.MaxStrings || bytes > content.MaxBytes {
			break
		}
		p.index[keys[i]] = int32(len(list))
		list = append(list, p.list[i])
	}
	p.list = list
}

// find returns the number of a function's pattern.
func (p *patterns) find(key string) (int32, bool) {
	n, known := p.index[key]
	return n, known && n >= 0
}

// drop leaves out all patterns.
func (p *patterns) drop() {
	p.list = nil
	for key := range p.index {
		p.index[key] = -1
	}
}

// omitted returns how many patterns were left out.
func (p *patterns) omitted() int { return len(p.index) - len(p.list) }
