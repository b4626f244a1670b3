package content

import (
	"math/rand/v2"
	"testing"

	"gomapi/internal/pkt"
)

// Without libhs a database finds the same.
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

// The library of this machine is one that can be used, or says that it is not.
func TestSound(t *testing.T) {
	if err := Sound(); err != nil {
		t.Logf("slow: %v", err)
	}
}
