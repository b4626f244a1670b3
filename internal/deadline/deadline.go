// Package deadline keeps what is to be done at a moment of packet time, in a heap by moment.
//
// A Heap and its entries belong to one goroutine at a time. No call allocates, except that
// a heap grows.
package deadline

import (
	"container/heap"
	"math"
)

// None is the moment of an entry that waits for nothing.
const None = math.MaxUint64

// A Heap orders entries by their moments. The zero value is an empty heap.
type Heap[T any] struct {
	list list[T]
	// Moves counts the entries that were put into the heap, moved in it or taken out.
	Moves uint64
}

// An Entry is a place in a heap. The zero value is in no heap.
type Entry[T any] struct {
	Value T
	at    uint64
	place int // index in the heap plus 1, 0: in no heap
}

// Len returns the number of entries.
func (h *Heap[T]) Len() int { return len(h.list) }

// First returns the earliest moment, None if the heap is empty.
func (h *Heap[T]) First() uint64 {
	if len(h.list) == 0 {
		return None
	}
	return h.list[0].at
}

// Pop takes out the entry with the earliest moment. The heap must not be empty.
func (h *Heap[T]) Pop() *Entry[T] {
	h.Moves++
	return heap.Pop(&h.list).(*Entry[T])
}

// Want makes e due at a moment, in packet time. An entry that is in the heap already with an
// earlier moment stays where it is: when it is due, its owner is asked again. So an entry
// whose moment is put off with each packet costs nothing until then.
func (h *Heap[T]) Want(e *Entry[T], at uint64) {
	switch {
	case at == None || e.place > 0 && e.at <= at:
		return
	case e.place > 0:
		e.at = at
		heap.Fix(&h.list, e.place-1)
	default:
		e.at = at
		heap.Push(&h.list, e)
	}
	h.Moves++
}

// Remove takes e out, if it is in the heap.
func (h *Heap[T]) Remove(e *Entry[T]) {
	if e.place > 0 {
		heap.Remove(&h.list, e.place-1)
		h.Moves++
	}
}

// Drop takes out all entries for which the function returns true.
func (h *Heap[T]) Drop(gone func(T) bool) {
	keep := h.list[:0]
	for _, e := range h.list {
		if gone(e.Value) {
			e.place = 0
			continue
		}
		keep = append(keep, e)
		e.place = len(keep)
	}
	clear(h.list[len(keep):])
	h.list = keep
	heap.Init(&h.list)
}

// list implements heap.Interface.
type list[T any] []*Entry[T]

func (l list[T]) Len() int           { return len(l) }
func (l list[T]) Less(i, j int) bool { return l[i].at < l[j].at }

func (l list[T]) Swap(i, j int) {
	l[i], l[j] = l[j], l[i]
	l[i].place, l[j].place = i+1, j+1
}

func (l *list[T]) Push(x any) {
	e := x.(*Entry[T])
	*l = append(*l, e)
	e.place = len(*l)
}

func (l *list[T]) Pop() any {
	old := *l
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*l = old[:len(old)-1]
	e.place = 0
	return e
}
