package table

import "golang.org/x/sys/unix"

// An index has the first node of each bucket. The number of buckets is a power of two.
type index struct {
	quota   Quota
	raw     []byte
	buckets []uint32 // 0: empty
}

// open makes an index of empty buckets.
func (x *index) open(buckets int) error {
	if err := charge(x.quota, 4*buckets); err != nil {
		return err
	}
	raw, err := mapPages(4 * buckets)
	if err != nil {
		release(x.quota, 4*buckets)
		return err
	}
	x.raw, x.buckets = raw, asArray[uint32](raw)[:buckets]
	return nil
}

func (x *index) memory() int { return 4 * len(x.buckets) }

// close frees the memory. Calling it twice is allowed.
func (x *index) close() {
	if x.raw == nil {
		return
	}
	release(x.quota, x.memory())
	_ = unix.Munmap(x.raw) // a mapping of our own
	x.raw, x.buckets = nil, nil
}

func (x *index) bucket(hash uint32) int { return int(hash) & (len(x.buckets) - 1) }

// first returns the first node in the bucket of a hash.
func (x *index) first(hash uint32) uint32 { return x.buckets[x.bucket(hash)] }

// has reports whether the bucket of a hash can have entries, if those below moved are empty.
func (x *index) has(hash uint32, moved int) bool {
	return len(x.buckets) > 0 && x.bucket(hash) >= moved
}
