package table

import (
	"os"

	"golang.org/x/sys/unix"
)

// An arena takes memory in pieces: the first is small, so that a small table is, and the others
// are the size of a huge page.
const (
	firstPiece = 64 << 10
	piece      = 2 << 20
)

// An arena is an array that grows in place: its addresses are reserved, and it takes memory from
// the front on.
type arena[T any] struct {
	quota Quota
	raw   []byte // to be unmapped
	use   []byte
	array []T
	taken int // bytes of use
}

// open reserves addresses for n elements.
func (a *arena[T]) open(n int, quota Quota) (err error) {
	a.quota = quota
	a.raw, a.use, err = mapPages(n*sizeOf[T]()+firstPiece, piece)
	if err == nil {
		a.array = asArray[T](a.use)[:n]
	}
	return err
}

// reach takes memory for the first n elements.
func (a *arena[T]) reach(n int) error {
	for n*sizeOf[T]() > a.taken {
		more := piece
		if a.taken < piece {
			more = max(firstPiece, a.taken) // 64, 64, 128 KiB ... up to a huge page
		}
		more = min(more, len(a.use)-a.taken)
		if err := charge(a.quota, more); err != nil {
			return err
		}
		a.taken += more
	}
	return nil
}

// shrink gives all memory back, except for the first piece, which becomes zero.
func (a *arena[T]) shrink() {
	if a.taken <= firstPiece {
		clear(a.use[:a.taken])
		return
	}
	clear(a.use[:firstPiece])
	_ = unix.Madvise(a.use[firstPiece:], unix.MADV_DONTNEED) // else it stays
	release(a.quota, a.taken-firstPiece)
	a.taken = firstPiece
}

// close frees the memory. Calling it twice is allowed.
func (a *arena[T]) close() {
	if a.raw == nil {
		return
	}
	release(a.quota, a.taken)
	_ = unix.Munmap(a.raw) // a mapping of our own
	a.raw, a.use, a.array, a.taken = nil, nil, nil, 0
}

func charge(q Quota, bytes int) error {
	if q == nil {
		return nil
	}
	return q.Charge(bytes)
}

func release(q Quota, bytes int) {
	if q != nil && bytes > 0 {
		q.Release(bytes)
	}
}

// mapPages maps memory that takes no page before it is used. It takes huge pages, if there are
// many, behind the first small bytes. use is the memory, raw what is to be unmapped.
func mapPages(bytes, small int) (raw, use []byte, err error) {
	bytes = (bytes + firstPiece - 1) &^ (firstPiece - 1)
	huge := bytes >= small+piece
	more := 0
	if huge {
		more = piece // to begin at the address of a huge page
	}
	raw, err = unix.Mmap(-1, 0, bytes+more, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, nil, os.NewSyscallError("mmap", err)
	}
	use = raw[:bytes:bytes]
	if huge {
		at := misplaced(raw, piece)
		use = raw[at:][:bytes:bytes]
		_ = unix.Madvise(use[small:], unix.MADV_HUGEPAGE) // only faster
	}
	return raw, use, nil
}
