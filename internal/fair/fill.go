// Package fair divides what many users want between them. A user who needs little gets it,
// whatever the others ask for.
//
// Files in reading order:
//
//	fill.go    places that stay taken, by max-min fairness
//	ledger.go  the time that users have used lately
//	queue.go   turns, by this time
package fair

import (
	"container/heap"
	"math"
	"slices"
)

// A Claim is what one user wants: items, by number, in the order in which the user gets them.
type Claim struct {
	Items []int
	used  float64 // part of the whole
	key   float64 // used with the next item
}

// Fill gives items to users by max-min fairness (progressive filling): the next item goes to the
// user who has the least with it. So each of n users gets all items that the user wants if they
// are at most 1/n of the whole.
//
// Cost is the part of the whole that an item takes, as far as it is known before; several users
// may want the same item, which costs nothing once it is taken. Take takes the item and returns
// the part that it took. If more is false, the user gets no further items.
func Fill(claims []*Claim, cost func(item int) float64, take func(item int) (part float64, more bool)) {
	q := claimQueue(slices.DeleteFunc(slices.Clone(claims), func(c *Claim) bool { return len(c.Items) == 0 }))
	for _, c := range q {
		c.key = cost(c.Items[0])
	}
	heap.Init(&q)
	for len(q) > 0 {
		c := q[0]
		part, more := take(c.Items[0])
		c.Items, c.used = c.Items[1:], c.used+part
		if !more || len(c.Items) == 0 {
			heap.Pop(&q)
			continue
		}
		c.key = c.used + cost(c.Items[0])
		heap.Fix(&q, 0)
	}
}

// claimQueue implements heap.Interface: the claim with the least key comes first.
type claimQueue []*Claim

func (q claimQueue) Len() int           { return len(q) }
func (q claimQueue) Less(i, j int) bool { return q[i].key < q[j].key }
func (q claimQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *claimQueue) Push(x any)        { *q = append(*q, x.(*Claim)) }

func (q *claimQueue) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	*q = (*q)[:last]
	return c
}

// Level returns the most that each user may have so that all together have at most whole: users
// who want less have what they want, and the others have the same.
func Level(wanted []int, whole int) int {
	for i, w := range slices.Sorted(slices.Values(wanted)) {
		if left := len(wanted) - i; w > whole/left {
			return whole / left
		}
		whole -= w
	}
	return math.MaxInt // there is enough
}
