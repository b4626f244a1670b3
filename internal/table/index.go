package table

import "golang.org/x/sys/unix"

// A ref is the number of a node and, in the upper 8 bits, bits of the hash of its key. So a
// lookup passes most entries with other keys without reading them.
type ref uint32

const nodeBits = 24

// gone is the ref in a slot whose entry was deleted or moved. Probing goes on behind it.
const gone ref = 1 << nodeBits

func refer(node, hash uint32) ref { return ref(node | hash>>nodeBits<<nodeBits) }

func (r ref) node() uint32 { return uint32(r) & (1<<nodeBits - 1) }

// may reports whether the key of the node can have this hash.
func (r ref) may(hash uint32) bool { return uint32(r)>>nodeBits == hash>>nodeBits }

// An index finds nodes by the hashes of their keys. The number of slots is a power of two, and
// some are always empty.
type index struct {
	quota  Quota
	raw    []byte
	slots  []ref // 0: empty
	filled int   // slots that are not empty
}

// open makes an index of empty slots.
func (x *index) open(slots int) error {
	if err := charge(x.quota, 4*slots); err != nil {
		return err
	}
	raw, use, err := mapPages(4*slots, 0)
	if err != nil {
		release(x.quota, 4*slots)
		return err
	}
	x.raw, x.slots, x.filled = raw, asArray[ref](use)[:slots], 0
	return nil
}

func (x *index) memory() int { return 4 * len(x.slots) }

// close frees the memory. Calling it twice is allowed.
func (x *index) close() {
	if x.raw == nil {
		return
	}
	release(x.quota, x.memory())
	_ = unix.Munmap(x.raw) // a mapping of our own
	x.raw, x.slots, x.filled = nil, nil, 0
}

// empty makes all slots empty.
func (x *index) empty() {
	clear(x.slots)
	x.filled = 0
}

// home is the slot where probing for a hash begins.
func (x *index) home(hash uint32) int { return int(hash) & (len(x.slots) - 1) }

func (x *index) after(slot int) int { return (slot + 1) & (len(x.slots) - 1) }

// add puts a node into the first slot that is free for its hash.
func (x *index) add(r ref, hash uint32) {
	at := x.home(hash)
	for x.slots[at] != 0 && x.slots[at] != gone {
		at = x.after(at)
	}
	if x.slots[at] == 0 {
		x.filled++
	}
	x.slots[at] = r
}
