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
	raw   []byte
	array []T
	taken int // bytes in use
}

// open reserves addresses for n elements.
func (a *arena[T]) open(n int, quota Quota) (err error) {
	a.quota = quota
	a.raw, err = mapPages(n*sizeOf[T]() + firstPiece)
	if err == nil {
		a.array = asArray[T](a.raw)[:n]
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
		more = min(more, len(a.raw)-a.taken)
		if err := charge(a.quota, more); err != nil {
			return err
		}
		a.taken += more
	}
	return nil
}

// shrink gives all memory back, except for the first piece, which becomes zero.
func (a *arena[T]) shrink() {
	clear(a.raw[:firstPiece])
	_ = unix.Madvise(a.raw[firstPiece:], unix.MADV_DONTNEED) // else it stays
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
	a.raw, a.array, a.taken = nil, nil, 0
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

// mapPages maps memory that takes no page before it is used, and large pages if it is large.
func mapPages(bytes int) ([]byte, error) {
	bytes = (bytes + firstPiece - 1) &^ (firstPiece - 1)
	raw, err := unix.Mmap(-1, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	if bytes > 2*piece {
		_ = unix.Madvise(raw[piece:], unix.MADV_HUGEPAGE) // only faster
	}
	return raw, nil
}
