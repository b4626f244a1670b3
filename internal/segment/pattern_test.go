package segment

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unique"

	"gomapi/flib"
	"gomapi/internal/bpf"
	"gomapi/internal/chain"
	"gomapi/internal/content"
	"gomapi/internal/pkt"
)

// finder searches for a pattern.
type finder struct{ pattern content.Pattern }

func (f *finder) Pattern() *content.Pattern { return &f.pattern }

func (f *finder) Process(in []*pkt.Packet) []*pkt.Packet {
	return slices.DeleteFunc(slices.Clone(in), func(p *pkt.Packet) bool { return !f.pattern.Match(p.Link) })
}

// find makes a function that searches for strings within depth bytes.
func find(depth int, texts ...string) *chain.Instance {
	f := &finder{content.Pattern{Depth: depth}}
	for _, t := range texts {
		f.pattern.Strings = append(f.pattern.Strings, []byte(t))
	}
	return &chain.Instance{Def: &flib.Def{}, Fn: f, ShareKey: unique.Make(fmt.Sprint(depth, texts))}
}

// own makes a function that cannot be shared.
func own() *chain.Instance { return &chain.Instance{Def: &flib.Def{}, Fn: &counter{}} }

// of makes a chain of a user.
func of(user uint32, functions ...*chain.Instance) Candidate {
	c := chain.New(int64(user), nil, functions, new(flib.FlowRef), new(flib.FlowRef))
	c.SetSince(time.Time{})
	return Candidate{Chain: c, User: user, CaughtUp: true}
}

// placed collects the patterns of chains and returns how many of each user have a place.
func placed(p *patterns, chains []Candidate) map[uint32]int {
	p.collect(chains)
	p.fill(1)
	n := make(map[uint32]int)
	for user, items := range p.claims {
		for _, i := range items {
			if p.wanted[i].number >= 0 {
				n[user]++
			}
		}
	}
	return n
}

// A user with very many small patterns leaves the others the places that they want.
func TestPlacesOfUsers(t *testing.T) {
	var chains []Candidate
	for i := range 200 {
		var functions []*chain.Instance
		for j := range 200 {
			functions = append(functions, find(0, fmt.Sprintf("%04x", 200*i+j)))
		}
		chains = append(chains, of(1, functions...))
	}
	for i := range 100 {
		chains = append(chains, of(2, find(0, fmt.Sprintf("%03d", i)+strings.Repeat("x", 1000))), of(3, find(0, fmt.Sprint("few ", i))))
	}
	p := newPatterns()
	n := placed(p, chains)
	if n[2] != 100 || n[3] != 100 || n[1] != content.MaxStrings-200 {
		t.Errorf("%v have places, want all 100 of users 2 and 3, and what is left for user 1", n)
	}
	if want := 40_200 - content.MaxStrings; p.omitted() != want {
		t.Errorf("%d are omitted, want %d", p.omitted(), want)
	}
}

// A user with large patterns does not take the bytes of others. The user's own small ones come
// first.
func TestPlacesForBytes(t *testing.T) {
	var chains []Candidate
	for i := range 100 {
		chains = append(chains, of(1, find(0, fmt.Sprintf("%03d", i)+strings.Repeat("x", 30_000))),
			of(1, find(0, fmt.Sprint("small ", i))), of(2, find(0, fmt.Sprintf("%03d", i)+strings.Repeat("y", 4000))))
	}
	n := placed(newPatterns(), chains)
	if n[2] != 100 || n[1] < 100+20 || n[1] > 100+25 {
		t.Errorf("%v have places, want 100 of user 2, the small ones of user 1, and what is left", n)
	}
}

// A pattern that two users search for takes one place, which both have.
func TestPlacesThatAreShared(t *testing.T) {
	var chains []Candidate
	for i := range 100 {
		chains = append(chains, of(1, find(0, fmt.Sprint(i))), of(2, find(0, fmt.Sprint(i))))
	}
	p := newPatterns()
	if n := placed(p, chains); n[1] != 100 || n[2] != 100 || len(p.list) != 100 {
		t.Errorf("%v have %d places", n, len(p.list))
	}
}

// Patterns that no scan can reach take no place.
func TestPlacesNobodyNeeds(t *testing.T) {
	alone, early := of(1, find(0, "a")), of(1, find(0, "b"))
	alone.Alone, early.CaughtUp = true, false
	p := newPatterns()
	if placed(p, []Candidate{alone, early, of(1, own(), find(0, "c")), of(1, find(3, "long", "longer"), find(0, "d"))}); len(p.wanted) != 0 {
		t.Errorf("%d patterns want a place", len(p.wanted))
	}
	if n := placed(p, []Candidate{of(1, find(3, "long", "fit"), find(0, "e"))}); n[1] != 2 {
		t.Errorf("%v have places, want 2", n)
	}
}

// Behind a filter that contradicts itself there is nothing to search for.
func TestPlacesBehindAFilter(t *testing.T) {
	both := func(a, b uint32) *chain.Instance {
		p, err := bpf.NewProgram([]bpf.RawInstruction{
			{Op: 0x30, K: 20}, {Op: 0x15, Jf: 3, K: a}, {Op: 0x30, K: 20}, {Op: 0x15, Jf: 1, K: b}, {Op: 6, K: 1}, {Op: 6},
		})
		if err != nil {
			t.Fatal(err)
		}
		return &chain.Instance{Def: &flib.Def{}, Fn: port{p}, Classifier: port{p}}
	}
	for _, c := range []struct {
		filter *chain.Instance
		places int
	}{{both(1, 2), 0}, {both(1, 1), 1}, {&chain.Instance{Def: &flib.Def{}, Fn: port{}, Classifier: port{}}, 0}} {
		s := Build([]Candidate{of(1, c.filter, find(0, "x"))}, []uint16{1}, t.Logf)
		defer s.Close()
		places := 0
		if s.run.answers != nil {
			places = s.run.answers.database.Len()
		}
		if places != c.places || s.Stats().SingleSearches != 0 {
			t.Errorf("%d places, %+v, want %d", places, s.Stats(), c.places)
		}
	}
}

// Members have the users of their chains, each once.
func TestUsersOfMembers(t *testing.T) {
	a, b, c := of(1, own()), of(2, own()), of(3, own())
	if got := fmt.Sprint(usersOf([][]Candidate{{b, a, b}, {c}, {a, a}})); got != "[[1 2] [3] [1]]" {
		t.Errorf("users %s", got)
	}
}
