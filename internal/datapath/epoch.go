package datapath

import (
	"sync"
	"sync/atomic"

	"gomapi/internal/chain"
)

// An epoch counts the times in which a loop runs and in which it does not: it is odd while
// a batch is under way. A batch that begins after a plan was stored runs on that plan, so
// whoever sees an even number after storing knows that nothing runs on an older one.
type epoch struct {
	number  atomic.Uint64
	waiters atomic.Int32 // control goroutines in await
	mu      sync.Mutex
	changed sync.Cond
	parked  *chain.Instance // function that waits for its client, nil: none; guarded by mu
}

// begin begins an epoch in which the loop runs.
func (e *epoch) begin() { e.number.Add(1) }

// end ends it and wakes who waits for that.
func (e *epoch) end() {
	e.number.Add(1)
	if e.waiters.Load() != 0 {
		e.mu.Lock()
		e.changed.Broadcast()
		e.mu.Unlock()
	}
}

// abandon ends an epoch that a panic has interrupted.
func (e *epoch) abandon() {
	if e.number.Load()&1 == 1 {
		e.end()
	}
}

// park tells that the loop waits in function a, or no more when that is nil.
func (e *epoch) park(a *chain.Instance) {
	e.mu.Lock()
	e.parked = a
	e.changed.Broadcast()
	e.mu.Unlock()
}

// await waits until the batch has ended that is under way, if there is one, or until it
// need not: enough is asked where the loop is parked, nil for nowhere.
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
