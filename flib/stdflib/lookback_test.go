package stdflib

import (
	"math/rand/v2"
	"testing"
)

// TestLookbackAgainstList also keeps the last looks in a list.
func TestLookbackAgainstList(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		places := 1 + random.IntN(20)
		l := newLookback(places)
		l.fill(1)
		list := make([]uint64, places)
		for i := range list {
			list[i] = 1
		}
		for range 200 {
			v := random.Uint64N(4)
			old, looks := l.leaving(v)
			looks = min(looks, 1+random.Uint64N(30))
			for range looks {
				if list[0] != old {
					t.Fatalf("%d leaves, want %d", old, list[0])
				}
				list = append(list[1:], v)
			}
			l.add(v, looks)
		}
	}
}

func TestLookbackDoesNotAllocate(t *testing.T) {
	l := newLookback(64)
	l.fill(0)
	v := uint64(0)
	if n := testing.AllocsPerRun(1000, func() {
		v++
		_, looks := l.leaving(v / 3)
		l.add(v/3, min(looks, v%5+1))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
