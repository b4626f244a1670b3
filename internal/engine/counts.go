package engine

import "sync/atomic"

// counts are the books of one function: packets that reached it and packets
// that it passed on. The capture goroutine adds once per batch.
type counts struct {
	packets, passed atomic.Uint64
}
