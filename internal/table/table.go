// Package table has a hash table of fixed-size entries in mapped memory outside Go's heap. A
// table of millions of entries costs the garbage collector nothing, has a maximum, and never
// stops for long to grow.
//
// An entry is a key with a value, both of types without pointers. Entries never move, so a
// pointer to a value stays valid until the entry is deleted. They also form a list in the order
// of use, for eviction and expiry. The hash is seeded for each table, so that nobody who chooses
// the keys can make them collide.
//
// The index has groups of one cache line with 15 entries each, and is nearly full: in a large
// table, 83 to 94 percent. A larger index is filled step by step: an insert moves at most MaxMoves
// entries. An entry takes its own size, 12 bytes for its hash and its place in the order, and 4.5
// to 5.2 bytes of the index; while the index grows, up to 9.7. A lookup that is not in the cache
// reads one line of the index, seldom two, and with few exceptions one entry. How long this takes
// depends on how much of the index stays in the cache; BenchmarkLookup compares it with one read.
//
// A table belongs to one goroutine at a time. Only New allocates on Go's heap.
//
// Files in reading order; each uses those before it:
//
//	memory_unsafe.go  mapped memory as an array
//	arena.go          an array that grows in place
//	index.go          the numbers of entries, by hash
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
	MaxEntries = 1<<nodeBits - 1

	minGroups = 16
	maxScan   = 64 // groups that an insert passes at most
)

// Errors of New and Put. Those of a Quota are returned as they are.
var (
	ErrPointers = errors.New("table: the garbage collector does not see pointers in a table")
	ErrFloats   = errors.New("table: a key must not have floating-point numbers")
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
	seed    maphash.Seed
	most    int
	entries arena[entry[K, V]] // by node; node 0 is not used
	links   arena[link]        // by node; node 0 is the head of the order of use
	hashes  arena[uint32]      // by node; apart, because an index that grows reads them alone
	used    uint32             // nodes below were used at least once
	unused  uint32             // first node of a deleted entry, linked by newer; 0: none
	index   index
	old     index // of which entries are being moved; no groups: none
	moved   int   // groups of old below are moved
	n       int
	closed  bool
}

// An entry is what a lookup reads. It stands alone, so that it takes as few cache lines as
// possible.
type entry[K comparable, V any] struct {
	key   K
	value V
}

// A link has the neighbors of an entry in the order of use.
type link struct{ older, newer uint32 }

// New makes an empty table for up to most entries. It takes memory as it needs it, and asks
// quota before; nil means no limit. It fails with ErrPointers if K or V has pointers, as
// strings, slices, maps, interfaces, functions and channels do, and with ErrFloats if K has
// floating-point numbers, because a key that is not equal to itself is never found.
func New[K comparable, V any](most int, quota Quota) (*Table[K, V], error) {
	for _, t := range []reflect.Type{reflect.TypeFor[K](), reflect.TypeFor[V]()} {
		if !made(t, reflect.Bool, reflect.Complex128) {
			return nil, fmt.Errorf("%w: %v has some", ErrPointers, t)
		}
	}
	if t := reflect.TypeFor[K](); !made(t, reflect.Bool, reflect.Uintptr) {
		return nil, fmt.Errorf("%w: %v has some", ErrFloats, t)
	}
	if sizeOf[entry[K, V]]() == 0 {
		return nil, errors.New("table: the entries have no bytes")
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
	if err := t.entries.open(t.most+1, quota); err != nil {
		return err
	}
	if err := t.links.open(t.most+1, quota); err != nil {
		return err
	}
	if err := t.hashes.open(t.most+1, quota); err != nil {
		return err
	}
	if err := t.reach(1); err != nil {
		return err
	}
	t.used = 1
	return t.index.open(minGroups)
}

// reach takes memory for the first n nodes.
func (t *Table[K, V]) reach(n int) error {
	if err := t.entries.reach(n); err != nil {
		return err
	}
	if err := t.links.reach(n); err != nil {
		return err
	}
	return t.hashes.reach(n)
}

// made reports whether the type consists of basic types from one kind to another only.
func made(t reflect.Type, from, to reflect.Kind) bool {
	switch t.Kind() {
	case reflect.Array:
		return made(t.Elem(), from, to)
	case reflect.Struct:
		for i := range t.NumField() {
			if !made(t.Field(i).Type, from, to) {
				return false
			}
		}
		return true
	}
	return t.Kind() >= from && t.Kind() <= to
}

// Len returns the number of entries.
func (t *Table[K, V]) Len() int { return t.n }

// Memory returns the memory that the table has taken, in bytes.
func (t *Table[K, V]) Memory() int {
	return t.entries.taken + t.links.taken + t.hashes.taken + t.index.memory() + t.old.memory()
}

// Get returns the value of the entry with this key, nil if there is none. It is valid until the
// entry is deleted. Get does not change the order of use.
func (t *Table[K, V]) Get(key K) *V {
	if i := t.find(key); i != 0 {
		return &t.entries.array[i].value
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
	return &t.entries.array[i].value
}

// Put returns the value of the entry with this key, as Use does. If there is none, it makes one
// with the zero value; created tells so. It fails with ErrFull, ErrClosed or the error of the
// quota; the table is then as before.
func (t *Table[K, V]) Put(key K) (value *V, created bool, err error) {
	if v := t.Use(key); v != nil {
		return v, false, nil
	}
	if err := t.grow(); err != nil {
		return nil, false, err
	}
	i, err := t.take()
	if err != nil {
		return nil, false, err
	}
	e := &t.entries.array[i]
	*e = entry[K, V]{key: key}
	hash := t.hash(key)
	t.hashes.array[i] = hash
	t.index.add(refer(i, hash), hash)
	t.link(i)
	t.n++
	return &e.value, true, nil
}

// Delete deletes the entry with this key. It returns false if there is none.
func (t *Table[K, V]) Delete(key K) bool {
	i := t.find(key)
	if i == 0 {
		return false
	}
	hash := t.hashes.array[i]
	if r := refer(i, hash); !t.index.remove(r, hash) {
		t.old.remove(r, hash)
	}
	t.unlink(i)
	t.links.array[i].newer = t.unused
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
	e := &t.entries.array[t.links.array[0].newer]
	return e.key, &e.value, true
}

// All returns all entries, in the order of use, the oldest first. The loop may delete the entry
// that it was given. It must not do anything else that changes the table or the order.
func (t *Table[K, V]) All() iter.Seq2[K, *V] {
	return func(yield func(K, *V) bool) {
		if t.n == 0 {
			return
		}
		for i := t.links.array[0].newer; i != 0; {
			e, next := &t.entries.array[i], t.links.array[i].newer
			if !yield(e.key, &e.value) {
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
	t.entries.close()
	t.links.close()
	t.hashes.close()
	t.index.close()
	t.old.close()
}

func (t *Table[K, V]) hash(key K) uint32 { return uint32(maphash.Comparable(t.seed, key) >> 32) }

// find returns the node of the entry with this key, 0 if there is none.
func (t *Table[K, V]) find(key K) uint32 {
	if t.n == 0 {
		return 0
	}
	hash := t.hash(key)
	i := t.search(&t.index, hash, key)
	if i == 0 && len(t.old.groups) > 0 {
		i = t.search(&t.old, hash, key)
	}
	return i
}

// search returns the node of the entry with this key, 0 if it is not in x.
func (t *Table[K, V]) search(x *index, hash uint32, key K) uint32 {
	at := x.home(hash)
	for range x.groups {
		g := &x.groups[at]
		for _, r := range g.refs[:g.n] {
			if r.may(hash) && t.entries.array[r.node()].key == key {
				return r.node()
			}
		}
		if g.over == 0 {
			return 0
		}
		at = x.after(at)
	}
	return 0
}

// take returns an unused node.
func (t *Table[K, V]) take() (uint32, error) {
	if i := t.unused; i != 0 {
		t.unused = t.links.array[i].newer
		return i, nil
	}
	if err := t.reach(int(t.used) + 1); err != nil {
		return 0, err
	}
	t.used++
	return t.used - 1, nil
}

// link makes the node the newest in the order of use.
func (t *Table[K, V]) link(i uint32) {
	head, l := &t.links.array[0], &t.links.array[i]
	l.older, l.newer = head.older, 0
	t.links.array[head.older].newer = i
	head.older = i
}

// unlink takes the node out of the order of use.
func (t *Table[K, V]) unlink(i uint32) {
	l := &t.links.array[i]
	t.links.array[l.older].newer = l.newer
	t.links.array[l.newer].older = l.older
}

// grow prepares an insert. If the index is full up to 1/16, it makes a larger one, and moves some
// entries to it. If the quota refuses that, the index becomes full up to 1/32.
func (t *Table[K, V]) grow() error {
	switch {
	case t.closed:
		return ErrClosed
	case t.n == t.most:
		return ErrFull
	case len(t.old.groups) > 0:
		t.move()
	case !t.index.fits(t.n+1, 16):
		next := index{quota: t.index.quota}
		if err := next.open(t.index.larger()); err != nil {
			if t.index.fits(t.n+1, 32) {
				return nil
			}
			return err
		}
		t.old, t.index, t.moved = t.index, next, 0
		t.move()
	}
	return nil
}

// move moves some entries from the old index to the new one. The old groups keep their counts:
// behind a group that is moved there may be others that have passed it.
func (t *Table[K, V]) move() {
	end := min(t.moved+maxScan, len(t.old.groups))
	for n := 0; t.moved < end && n+perGroup <= MaxMoves; t.moved++ {
		g := &t.old.groups[t.moved]
		refs := g.refs[:g.n]
		var hashes [perGroup]uint32
		for i, r := range refs { // all before the first add, so that these reads overlap
			hashes[i] = t.hashes.array[r.node()]
		}
		for i, r := range refs {
			t.index.add(r, hashes[i])
		}
		n += len(refs)
		g.n = 0
	}
	if t.moved == len(t.old.groups) {
		t.old.close()
	}
}

// clear gives the memory of an empty table back, except for what a new one has.
func (t *Table[K, V]) clear() {
	t.old.close()
	if t.entries.taken <= firstPiece {
		return
	}
	t.entries.shrink()
	t.links.shrink()
	t.hashes.shrink()
	t.used, t.unused = 1, 0
	smaller := index{quota: t.index.quota}
	if smaller.open(minGroups) == nil {
		t.index.close()
		t.index = smaller
	}
}
