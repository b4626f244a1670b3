package fair

import (
	"math"
	"math/rand/v2"
	"testing"
)

// share fills a whole of 1 with items of these parts, and returns what each user got.
func share(wants [][]float64) []float64 {
	var parts []float64
	var users []int
	claims := make([]*Claim, len(wants))
	for u, items := range wants {
		claims[u] = &Claim{}
		for _, part := range items {
			claims[u].Items = append(claims[u].Items, len(parts))
			parts, users = append(parts, part), append(users, u)
		}
	}
	got, left := make([]float64, len(wants)), 1.0
	Fill(claims, func(i int) float64 { return parts[i] }, func(i int) (float64, bool) {
		if parts[i] > left+1e-9 {
			return 0, false
		}
		left -= parts[i]
		got[users[i]] += parts[i]
		return parts[i], true
	})
	return got
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

func equalParts(n int, part float64) (items []float64) {
	for range n {
		items = append(items, part)
	}
	return items
}

// One user wants everything in tiny items; the others get what they want.
func TestFill(t *testing.T) {
	got := share([][]float64{equalParts(10_000, 0.001), {0.1, 0.1}, {}, equalParts(300, 0.001)})
	for u, want := range []float64{0.5, 0.2, 0, 0.3} {
		if !near(got[u], want) {
			t.Errorf("user %d has %v, want %v", u, got[u], want)
		}
	}
}

// Whatever the others want, a user gets up to an equal part of the whole.
func TestFillGivesEqualParts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 2 + r.IntN(8)
		wants, little := make([][]float64, n), 0.0
		for u := 1; u < n; u++ {
			wants[u] = equalParts(1+r.IntN(200), r.Float64()*0.2)
		}
		for {
			part := r.Float64() * 0.1
			if little+part > 1/float64(n) {
				break
			}
			little += part
			wants[0] = append(wants[0], part)
		}
		if got := share(wants); !near(got[0], little) {
			t.Fatalf("of %d users, one who wants %v has %v: %v", n, little, got[0], got)
		}
	}
}

// An item that several users want is taken once, and the others have it for nothing.
func TestFillSharedItems(t *testing.T) {
	taken, left := make([]bool, 20), 1.0
	cost := func(i int) float64 {
		if taken[i] {
			return 0
		}
		return 0.1
	}
	Fill([]*Claim{{Items: []int{0, 1, 2, 3, 4}}, {Items: []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}},
		cost, func(i int) (float64, bool) {
			part := cost(i)
			if part > left+1e-9 {
				return 0, false
			}
			taken[i] = true
			left -= part
			return part, true
		})
	for i, ok := range taken {
		if ok != (i < 10) {
			t.Errorf("item %d: %v", i, ok)
		}
	}
}

func TestLevel(t *testing.T) {
	for _, c := range []struct {
		wanted []int
		whole  int
		want   int
	}{
		{[]int{1000, 10, 20}, 100, 70},
		{[]int{1000, 1000}, 100, 50},
		{[]int{50, 50}, 100, math.MaxInt},
		{[]int{5}, 100, math.MaxInt},
		{[]int{500}, 100, 100},
		{nil, 100, math.MaxInt},
	} {
		if got := Level(c.wanted, c.whole); got != c.want {
			t.Errorf("%v of %d: %d, want %d", c.wanted, c.whole, got, c.want)
		}
	}
}
