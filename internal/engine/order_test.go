package engine

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// listed lists an order as sessions do, n flows at a time.
func listed(o *order, n int, but *Session) (numbers []int32) {
	number := int32(math.MinInt32)
	for more := true; more; {
		var found []*Flow
		found, number, more = o.after(number, n, but)
		for _, f := range found {
			numbers = append(numbers, f.number)
		}
	}
	return numbers
}

// TestOrder compares an order with a map while flows of three sessions are added, mostly with
// ascending numbers, and removed in any order.
func TestOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	sessions := []*Session{{}, {}, {}}
	var o order
	flows, last := make(map[int32]*Flow), int32(0)
	for step := range 40000 {
		switch number := rnd.Int32N(last + 1); {
		case step%20000 < 8000 || rnd.IntN(3) == 0:
			if last++; rnd.IntN(50) > 0 || flows[number] != nil {
				number = last
			}
			f := &Flow{number: number, session: sessions[rnd.IntN(1+step/1000%3)]}
			o.add(number, f)
			flows[number] = f
		case flows[number] != nil:
			o.remove(number)
			delete(flows, number)
		default:
			o.remove(number) // has no flow
		}
		if step%1000 == 999 {
			checkOrder(t, &o, flows, sessions[rnd.IntN(3)])
		}
	}
	for _, number := range slices.Sorted(maps.Keys(flows)) {
		o.remove(number)
	}
	if o.n != 0 || len(o.blocks) != 0 {
		t.Errorf("%d flows in %d blocks are left", o.n, len(o.blocks))
	}
}

func checkOrder(t *testing.T, o *order, flows map[int32]*Flow, but *Session) {
	t.Helper()
	var all, others []int32
	for _, number := range slices.Sorted(maps.Keys(flows)) {
		all = append(all, number)
		if flows[number].session != but {
			others = append(others, number)
		}
		if o.get(number) != flows[number] {
			t.Errorf("flow %d is not there", number)
		}
	}
	if o.n != len(all) || len(slices.Collect(o.all())) != len(all) {
		t.Errorf("%d flows, want %d", o.n, len(all))
	}
	for _, n := range []int{1, 7, 1000} {
		if got := listed(o, n, nil); !slices.Equal(got, all) {
			t.Errorf("%d at a time: %d flows, want %d", n, len(got), len(all))
		}
		if got := listed(o, n, but); !slices.Equal(got, others) {
			t.Errorf("%d at a time: %d flows of others, want %d", n, len(got), len(others))
		}
	}
	if most := 4*o.n/blockSize + 2; len(o.blocks) > most {
		t.Errorf("%d flows in %d blocks", o.n, len(o.blocks))
	}
}

// TestOrderLooksAtFew counts the steps needed to find one flow of another session behind a
// hundred blocks with flows of the asking session.
func TestOrderLooksAtFew(t *testing.T) {
	const blocks = 100
	me, other := &Session{}, &Session{}
	steps := func(o *order) (n int) {
		for number, more := int32(-1), true; more; n++ {
			_, number, more = o.after(number, 1000, me)
		}
		return n
	}
	var o order
	for i := range int32(blocks * blockSize) {
		f := &Flow{session: me}
		if i%blockSize == 0 {
			f.session = other
		}
		o.add(i, f)
	}
	if n := steps(&o); n != blocks/blocksAtOnce {
		t.Errorf("%d steps while each block has a flow of others, want %d", n, blocks/blocksAtOnce)
	}
	for i := range int32(blocks - 1) {
		o.remove(i * blockSize)
	}
	steps(&o) // notices that they are gone
	if n := steps(&o); n != 1 {
		t.Errorf("%d steps to the last one, want 1", n)
	}
}
