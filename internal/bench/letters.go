package main

import "math/rand/v2"

// letters are random lower-case letters, always the same.
type letters struct{ *rand.Rand }

func newLetters() letters { return letters{rand.New(rand.NewPCG(3, 5))} }

func (l letters) fill(b []byte) {
	for i := range b {
		b[i] = 'a' + byte(l.UintN(26))
	}
}

// words returns n different words of eight letters that begin with a capital letter,
// and so are in no payload unless someone puts them there.
func (l letters) words(n int) []string {
	used := make(map[string]bool)
	var all []string
	for len(all) < n {
		var w [stringLength]byte
		l.fill(w[:])
		w[0] -= 'a' - 'A'
		if !used[string(w[:])] {
			used[string(w[:])] = true
			all = append(all, string(w[:]))
		}
	}
	return all
}
