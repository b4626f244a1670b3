package engine

import (
	"runtime/debug"
	"sync"
	"time"

	"gomapi/internal/content"
)

// A reclaimer returns free memory to the system after much was freed: the allocators of Go
// and C would keep it for later. Searching for garbage takes time, so it waits until nothing
// has been freed for a while. It does nothing while nothing is freed.
type reclaimer struct {
	mu      sync.Mutex
	freed   int         // bytes since memory was last returned, estimated
	first   time.Time   // of the first call of add since the last look
	last    time.Time   // of the last call of add
	timer   *time.Timer // nil: nothing was freed since the last look
	closed  bool
	running sync.WaitGroup // the timer or its function
}

const (
	calm     = time.Second // how long nothing must have been freed
	patience = 10 * calm   // how long to wait for that
	much     = 16 << 20    // bytes that are worth the time
)

// memberMemory is what a chain takes in a segment, in bytes, by estimate.
const memberMemory = 2 << 10

// add notes that memory is free, or will be found to be.
func (r *reclaimer) add(bytes int) {
	if bytes == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.freed += bytes
	r.last = time.Now()
	if r.timer == nil && !r.closed {
		r.first = r.last
		r.wakeAfter(calm)
	}
}

// wakeAfter sets the timer. mu is held.
func (r *reclaimer) wakeAfter(wait time.Duration) {
	r.running.Add(1)
	r.timer = time.AfterFunc(wait, func() {
		defer r.running.Done()
		if freed, due := r.due(); due {
			if freed >= much {
				debug.FreeOSMemory()
			}
			content.Trim(much)
		}
	})
}

// due reports whether it is time to return memory, and how much was freed. Otherwise it sets
// the timer again.
func (r *reclaimer) due() (freed int, due bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.timer = nil
	if wait := min(calm-time.Since(r.last), patience-time.Since(r.first)); wait > 0 && !r.closed {
		r.wakeAfter(wait)
		return 0, false
	}
	freed = r.freed
	if freed >= much {
		r.freed = 0
	}
	return freed, !r.closed
}

// close ends the reclaimer.
func (r *reclaimer) close() {
	r.mu.Lock()
	r.closed = true
	if r.timer != nil && r.timer.Stop() {
		r.running.Done()
	}
	r.mu.Unlock()
	r.running.Wait()
}
