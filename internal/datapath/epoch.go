package datapath

import (
	"sync"
	"sync/atomic"

	"gomapi/internal/chain"
)

// An epoch counts the beginnings and ends of batches: it is odd while a batch is under way.
// A batch that begins after a plan was stored runs on that plan. So a goroutine that stores
// a plan and then sees an even number knows that no batch runs on an older plan.
type epoch struct {
	number  atomic.Uint64
	waiters atomic.Int32 // control goroutines in await
	mu      sync.Mutex
	changed sync.Cond
	parked  *chain.Instance // function that waits for its client, nil: none; guarded by mu
}

// begin begins a batch or a pause.
func (e *epoch) begin() { e.number.Add(1) }

// end ends it and wakes the goroutines in await.
func (e *epoch) end() {
	e.number.Add(1)
	if e.waiters.Load() != 0 {
		e.mu.Lock()
		e.changed.Broadcast()
		e.mu.Unlock()
	}
}

// odd reports whether a batch is under way. Only the capture goroutine may call it.
func (e *epoch) odd() bool { return e.number.Load()&1 == 1 }

// park notes that the loop waits in function a; nil: it goes on.
func (e *epoch) park(a *chain.Instance) {
	e.mu.Lock()
	e.parked = a
	e.changed.Broadcast()
	e.mu.Unlock()
}

// waits reports whether the loop waits in a function.
func (e *epoch) waits() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.parked != nil
}

// await waits for the end of the batch under way, if there is one. It stops waiting when
// enough returns true for the function in which the loop is parked (nil: not parked).
func (e *epoch) await(enough func(parked *chain.Instance) bool) {
	number := e.number.Load()
	if number&1 == 0 {
		return
	}
	e.waiters.Add(1)
	e.mu.Lock()
	for e.number.Load() == number && !enough(e.parked) {
		e.changed.Wait()
	}
	e.mu.Unlock()
	e.waiters.Add(-1)
}
