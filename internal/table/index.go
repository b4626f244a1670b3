package table

import (
	"math/bits"
	"slices"

	"golang.org/x/sys/unix"
)

// A ref is the number of a node and, in the lower 8 bits, bits of the hash of its key. So a
// lookup passes most entries with other keys without reading them.
type ref uint32

const nodeBits = 24

func refer(node, hash uint32) ref { return ref(node<<8 | hash&0xff) }

func (r ref) node() uint32 { return uint32(r >> 8) }

// may reports whether the key of the node can have this hash.
func (r ref) may(hash uint32) bool { return uint8(r) == uint8(hash) }

// A group is one cache line of an index.
type group struct {
	n    uint16 // refs that are here
	over uint16 // refs that found this group full, and are in one behind
	refs [perGroup]ref
}

const (
	perGroup  = 15
	groupSize = 64
)

// An index finds nodes by the hashes of their keys. A ref is in the first group, from the home of
// its hash on, that had a free slot when it was added. A search ends at a group that no ref has
// passed. So a deleted ref leaves nothing behind, and an index can be nearly full.
type index struct {
	quota  Quota
	raw    []byte
	groups []group
}

// open makes an index without refs.
func (x *index) open(groups int) error {
	if err := charge(x.quota, groupSize*groups); err != nil {
		return err
	}
	raw, use, err := mapPages(groupSize*groups, 0)
	if err != nil {
		release(x.quota, groupSize*groups)
		return err
	}
	x.raw, x.groups = raw, asArray[group](use)[:groups]
	return nil
}

func (x *index) memory() int { return groupSize * len(x.groups) }

// close frees the memory. Calling it twice is allowed.
func (x *index) close() {
	if x.raw == nil {
		return
	}
	release(x.quota, x.memory())
	_ = unix.Munmap(x.raw) // a mapping of our own
	x.raw, x.groups = nil, nil
}

// fits reports whether n refs are at most 1 - 1/part of what the groups hold.
func (x *index) fits(n, part int) bool { return part*n <= (part-1)*perGroup*len(x.groups) }

// larger returns the next larger number of groups. There are eight for each power of two, so that
// the index is never much larger than its refs: what of it is in the cache decides the speed of a
// lookup.
func (x *index) larger() int { return len(x.groups) + 1<<(bits.Len(uint(len(x.groups)))-4) }

// home is the group where a search for a hash begins.
func (x *index) home(hash uint32) int { return int(uint64(hash) * uint64(len(x.groups)) >> 32) }

func (x *index) after(group int) int {
	if group++; group < len(x.groups) {
		return group
	}
	return 0
}

// add puts a ref into the first group with a free slot. There must be one.
func (x *index) add(r ref, hash uint32) {
	for at := x.home(hash); ; at = x.after(at) {
		g := &x.groups[at]
		if g.n < perGroup {
			g.refs[g.n] = r
			g.n++
			return
		}
		g.over++
	}
}

// remove takes a ref out. It returns false if it is not there.
func (x *index) remove(r ref, hash uint32) bool {
	at := x.home(hash)
	for range x.groups {
		g := &x.groups[at]
		if i := slices.Index(g.refs[:g.n], r); i >= 0 {
			g.n--
			g.refs[i] = g.refs[g.n]
			x.unpass(hash, at)
			return true
		}
		if g.over == 0 {
			return false
		}
		at = x.after(at)
	}
	return false
}

// unpass says to the groups from the home of a hash on that a ref behind them, in group end, is
// no more.
func (x *index) unpass(hash uint32, end int) {
	for at := x.home(hash); at != end; at = x.after(at) {
		x.groups[at].over--
	}
}
