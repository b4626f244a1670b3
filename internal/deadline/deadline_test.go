package deadline

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The entries leave the heap by their moments, whatever was wanted, removed and dropped.
func TestOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var h Heap[int]
		moments := map[int]uint64{}
		entries := make([]Entry[int], 50)
		for range 300 {
			i := random.IntN(len(entries))
			entries[i].Value = i
			at := random.Uint64N(1000)
			if old, ok := moments[i]; !ok || at < old {
				moments[i] = at
			}
			h.Want(&entries[i], at)
			if i := random.IntN(len(entries)); random.IntN(4) == 0 {
				h.Remove(&entries[i])
				delete(moments, i)
			}
		}
		h.Drop(func(i int) bool { return i%7 == 0 })
		for i := 0; i < len(entries); i += 7 {
			delete(moments, i)
		}
		if h.Len() != len(moments) {
			t.Fatalf("%d entries, want %d", h.Len(), len(moments))
		}
		var got []uint64
		for h.Len() > 0 {
			first := h.First()
			e := h.Pop()
			if moments[e.Value] != first {
				t.Fatalf("entry %d leaves at %d, want %d", e.Value, first, moments[e.Value])
			}
			got = append(got, first)
		}
		if !slices.IsSorted(got) {
			t.Fatalf("not in order: %d", got)
		}
	}
}

// A moment that is put off, or none, costs no move.
func TestPutOff(t *testing.T) {
	var h Heap[int]
	var e, idle Entry[int]
	h.Want(&idle, None)
	h.Want(&e, 10)
	moves := h.Moves
	for at := range uint64(1000) {
		h.Want(&e, 10+at)
	}
	if h.Moves != moves || h.First() != 10 || h.Len() != 1 {
		t.Errorf("%d moves, first %d, %d entries; want %d, 10, 1", h.Moves, h.First(), h.Len(), moves)
	}
	if h.Pop(); h.First() != None {
		t.Error("an empty heap has a moment")
	}
}

// Nothing is allocated once the heap has its size.
func TestNoAllocations(t *testing.T) {
	var h Heap[int]
	entries := make([]Entry[int], 100)
	turn := func() {
		for i := range entries {
			h.Want(&entries[i], uint64(i*7919%100))
		}
		for h.Len() > 0 {
			h.Pop()
		}
	}
	turn()
	if n := testing.AllocsPerRun(100, turn); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
