// Package table has a hash table of fixed-size entries in mapped memory outside Go's heap. A
// table of millions of entries costs the garbage collector nothing, has a maximum, and never
// stops for long to grow.
//
// An entry is a key with a value, both of types without pointers. Entries never move, so a
// pointer to a value stays valid until the entry is deleted. They also form a list in the order
// of use, for eviction and expiry. The hash is seeded for each table, so that nobody who chooses
// the keys can make them collide.
//
// The index has two buckets for each entry or more, 4 bytes each; entries with the same bucket
// form a chain. A larger index is filled step by step: an insert moves at most MaxMoves entries.
//
// A table belongs to one goroutine at a time. Only New allocates on Go's heap.
//
// Files in reading order; each uses those before it:
//
//	memory_unsafe.go  mapped memory as an array
//	arena.go          an array that grows in place
//	index.go          the buckets
//	table.go          the table
package table

import (
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"reflect"
)

const (
	// MaxMoves is the maximum number of entries that an insert moves to a larger index.
	MaxMoves = 64
	// MaxEntries is the largest maximum of a table.
	MaxEntries = 1 << 28

	minBuckets = 1 << 8
	maxEmpty   = 1 << 10 // empty buckets that an insert passes at most
)

// Errors of New and Put. Those of a Quota are returned as they are.
var (
	ErrPointers = errors.New("table: the garbage collector does not see pointers in a table")
	ErrFull     = errors.New("table: the maximum number of entries is reached")
	ErrClosed   = errors.New("table: closed")
)

// A Quota decides on the memory that a table takes, in bytes. Charge may refuse it; the table
// then stays as it is. Release gives memory back. Both are called on the goroutine of the table.
type Quota interface {
	Charge(bytes int) error
	Release(bytes int)
}

// A Table maps keys to values. The zero value is not usable, see New.
type Table[K comparable, V any] struct {
	seed   maphash.Seed
	most   int
	nodes  arena[node[K, V]] // node 0 is the head of the list of use
	used   uint32            // nodes below were used at least once
	unused uint32            // first node of a deleted entry, linked by next; 0: none
	index  index
	old    index // smaller, of which entries are being moved; empty: none
	moved  int   // buckets of old below are empty
	n      int
	closed bool
}

// A node is an entry with its places in the table.
type node[K comparable, V any] struct {
	hash         uint32
	next         uint32 // node in the same bucket, 0: none
	older, newer uint32 // neighbors in the order of use
	key          K
	value        V
}

// New makes an empty table for up to most entries. It takes memory as it needs it, and asks
// quota before; nil means no limit. It fails with ErrPointers if K or V has pointers, as
// strings, slices, maps, interfaces, functions and channels do.
func New[K comparable, V any](most int, quota Quota) (*Table[K, V], error) {
	for _, t := range []reflect.Type{reflect.TypeFor[K](), reflect.TypeFor[V]()} {
		if !flat(t) {
			return nil, fmt.Errorf("%w: %v has some", ErrPointers, t)
		}
	}
	if most < 1 || most > MaxEntries {
		return nil, fmt.Errorf("table: a maximum of %d entries is not between 1 and %d", most, MaxEntries)
	}
	t := &Table[K, V]{seed: maphash.MakeSeed(), most: most}
	if err := t.open(quota); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (t *Table[K, V]) open(quota Quota) error {
	t.index.quota, t.old.quota = quota, quota
	if err := t.nodes.open(t.most+1, quota); err != nil {
		return err
	}
	t.used = 1
	if err := t.nodes.reach(1); err != nil {
		return err
	}
	return t.index.open(minBuckets)
}

// flat reports whether values of the type have no pointers.
func flat(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return flat(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if !flat(t.Field(i).Type) {
				return false
			}
		}
		return true
	}
	return t.Kind() >= reflect.Bool && t.Kind() <= reflect.Complex128
}

// Len returns the number of entries.
func (t *Table[K, V]) Len() int { return t.n }

// Memory returns the memory that the table has taken, in bytes.
func (t *Table[K, V]) Memory() int { return t.nodes.taken + t.index.memory() + t.old.memory() }

// Get returns the value of the entry with this key, nil if there is none. It is valid until the
// entry is deleted. Get does not change the order of use.
func (t *Table[K, V]) Get(key K) *V {
	if i := t.find(key); i != 0 {
		return &t.nodes.array[i].value
	}
	return nil
}

// Use is like Get, and makes the entry the newest in the order of use.
func (t *Table[K, V]) Use(key K) *V {
	i := t.find(key)
	if i == 0 {
		return nil
	}
	t.unlink(i)
	t.link(i)
	return &t.nodes.array[i].value
}

// Put returns the value of the entry with this key, as Use does. If there is none, it makes one
// with the zero value; created tells so. It fails with ErrFull, ErrClosed or the error of the
// quota; the table is then as before.
func (t *Table[K, V]) Put(key K) (value *V, created bool, err error) {
	if v := t.Use(key); v != nil {
		return v, false, nil
	}
	i, err := t.take()
	if err != nil {
		return nil, false, err
	}
	n := &t.nodes.array[i]
	*n = node[K, V]{hash: t.hash(key), key: key}
	t.grow()
	t.push(i)
	t.link(i)
	t.n++
	return &n.value, true, nil
}

// Delete deletes the entry with this key. It returns false if there is none.
func (t *Table[K, V]) Delete(key K) bool {
	i := t.find(key)
	if i == 0 {
		return false
	}
	if !t.remove(&t.index, i) {
		t.remove(&t.old, i)
	}
	t.unlink(i)
	t.nodes.array[i] = node[K, V]{next: t.unused}
	t.unused = i
	if t.n--; t.n == 0 {
		t.clear()
	}
	return true
}

// Oldest returns the entry that was made, put or used longest ago; ok is false if the table is
// empty.
func (t *Table[K, V]) Oldest() (key K, value *V, ok bool) {
	if t.n == 0 {
		return key, nil, false
	}
	n := &t.nodes.array[t.nodes.array[0].newer]
	return n.key, &n.value, true
}

// All returns all entries, in the order of use, the oldest first. The loop may delete the entry
// that it was given. It must not do anything else that changes the table or the order.
func (t *Table[K, V]) All() iter.Seq2[K, *V] {
	return func(yield func(K, *V) bool) {
		if t.n == 0 {
			return
		}
		for i := t.nodes.array[0].newer; i != 0; {
			n := &t.nodes.array[i]
			next := n.newer
			if !yield(n.key, &n.value) {
				return
			}
			i = next
		}
	}
}

// Close frees the memory and gives it back to the quota. The table is then empty, and values
// from it must not be used any more. Calling it twice is allowed.
func (t *Table[K, V]) Close() {
	t.closed, t.n, t.used, t.unused = true, 0, 0, 0
	t.nodes.close()
	t.index.close()
	t.old.close()
}

func (t *Table[K, V]) hash(key K) uint32 { return uint32(maphash.Comparable(t.seed, key) >> 32) }

// find returns the node with this key, 0 if there is none.
func (t *Table[K, V]) find(key K) uint32 {
	if t.n == 0 {
		return 0
	}
	hash := t.hash(key)
	if i := t.search(t.index.first(hash), hash, key); i != 0 || !t.old.has(hash, t.moved) {
		return i
	}
	return t.search(t.old.first(hash), hash, key)
}

// search returns the node with this key in the chain that begins with node i.
func (t *Table[K, V]) search(i, hash uint32, key K) uint32 {
	for i != 0 {
		n := &t.nodes.array[i]
		if n.hash == hash && n.key == key {
			return i
		}
		i = n.next
	}
	return 0
}

// take returns an unused node.
func (t *Table[K, V]) take() (uint32, error) {
	switch {
	case t.closed:
		return 0, ErrClosed
	case t.n == t.most:
		return 0, ErrFull
	case t.unused != 0:
		i := t.unused
		t.unused = t.nodes.array[i].next
		return i, nil
	}
	if err := t.nodes.reach(int(t.used) + 1); err != nil {
		return 0, err
	}
	t.used++
	return t.used - 1, nil
}

// link makes the node the newest in the order of use.
func (t *Table[K, V]) link(i uint32) {
	head, n := &t.nodes.array[0], &t.nodes.array[i]
	n.older, n.newer = head.older, 0
	t.nodes.array[head.older].newer = i
	head.older = i
}

// unlink takes the node out of the order of use.
func (t *Table[K, V]) unlink(i uint32) {
	n := &t.nodes.array[i]
	t.nodes.array[n.older].newer = n.newer
	t.nodes.array[n.newer].older = n.older
}

// push puts the node into its bucket.
func (t *Table[K, V]) push(i uint32) {
	n := &t.nodes.array[i]
	b := t.index.bucket(n.hash)
	n.next, t.index.buckets[b] = t.index.buckets[b], i
}

// remove takes the node out of its bucket in x. It returns false if it is not there.
func (t *Table[K, V]) remove(x *index, i uint32) bool {
	n := &t.nodes.array[i]
	at := &x.buckets[x.bucket(n.hash)]
	for *at != 0 && *at != i {
		at = &t.nodes.array[*at].next
	}
	if *at == 0 {
		return false
	}
	*at = n.next
	return true
}

// grow makes the index larger if it must be, and moves some entries to it. If the quota refuses
// a larger index, the chains become longer.
func (t *Table[K, V]) grow() {
	if len(t.old.buckets) == 0 {
		if 2*(t.n+1) <= len(t.index.buckets) {
			return
		}
		larger := index{quota: t.index.quota}
		if larger.open(2*len(t.index.buckets)) != nil {
			return
		}
		t.old, t.index, t.moved = t.index, larger, 0
	}
	entries, empty := 0, 0
	for t.moved < len(t.old.buckets) && entries < MaxMoves && empty < maxEmpty {
		i := t.old.buckets[t.moved]
		if i == 0 {
			t.moved++
			empty++
			continue
		}
		t.old.buckets[t.moved] = t.nodes.array[i].next
		t.push(i)
		entries++
	}
	if t.moved == len(t.old.buckets) {
		t.old.close()
	}
}

// clear gives the memory of an empty table back, except for what a new one has.
func (t *Table[K, V]) clear() {
	t.old.close()
	if t.nodes.taken <= firstPiece {
		return
	}
	t.nodes.shrink()
	t.used, t.unused = 1, 0
	smaller := index{quota: t.index.quota}
	if smaller.open(minBuckets) == nil {
		t.index.close()
		t.index = smaller
	}
}
