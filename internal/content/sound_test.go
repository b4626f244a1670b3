package content

import (
	"math/rand/v2"
	"testing"

	"gomapi/internal/pkt"
)

// TestAutomatonAlone checks that a database without libhs finds the same.
func TestAutomatonAlone(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	letters := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = "abcd"[rnd.IntN(4)]
		}
		return b
	}
	for range 200 {
		var patterns []*Pattern
		for range 1 + rnd.IntN(20) {
			patterns = append(patterns, &Pattern{Strings: [][]byte{letters(1 + rnd.IntN(8))}, Offset: rnd.IntN(20), Depth: 10 * rnd.IntN(10)})
		}
		d, err := newDatabase(patterns, false)
		if err != nil {
			t.Fatal(err)
		}
		var s Scratch
		if err := s.Fit(d); err != nil {
			t.Fatal(err)
		}
		link := letters(rnd.IntN(300))
		n, hits := d.Scan(&s, []*pkt.Packet{{Link: link}}, make([]Hit, 0, len(patterns)))
		if n != 1 || !allFound(patterns, link, hits) {
			t.Errorf("%d packets decided, hits %v", n, hits)
		}
		s.Close()
		d.Close()
	}
}

// TestSound checks the verdict on this machine's library: if sound, it must
// also find every string of other sets; if not, it must have missed some of the
// trials.
func TestSound(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	missed := 0
	for range 200 {
		var texts []string
		for range 1 + r.IntN(8) {
			texts = append(texts, string(some(r, "abcd", 1+r.IntN(8))))
		}
		if !tryOut(texts) {
			missed++
		}
	}
	if err := Sound(); (err == nil) != (missed == 0) {
		t.Errorf("of 200 sets of strings %d are not found, and it says %v", missed, err)
	}
}

// TestAllFound checks that a missing and a surplus string are noticed.
func TestAllFound(t *testing.T) {
	patterns := []*Pattern{{Strings: [][]byte{[]byte("ab")}}, {Strings: [][]byte{[]byte("b")}}, {Strings: [][]byte{[]byte("c")}}}
	for _, c := range []struct {
		hits []Hit
		want bool
	}{
		{[]Hit{{0, 0}, {0, 1}}, true}, {[]Hit{{0, 1}, {0, 0}, {0, 1}}, true},
		{[]Hit{{0, 0}}, false}, {nil, false}, {[]Hit{{0, 0}, {0, 1}, {0, 2}}, false},
	} {
		if got := allFound(patterns, []byte("xabx"), c.hits); got != c.want {
			t.Errorf("%v: %v", c.hits, got)
		}
	}
}
