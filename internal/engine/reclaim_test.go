package engine

import (
	"testing"
	"time"
)

// TestReclaimIsNotPutOff: memory is returned although somebody frees a little all the time.
func TestReclaimIsNotPutOff(t *testing.T) {
	var r reclaimer
	defer r.close()
	r.add(much)
	r.mu.Lock()
	r.timer.Stop()
	r.timer = nil
	r.running.Done()
	r.first = time.Now().Add(-patience)
	r.mu.Unlock()
	if freed, due := r.due(); !due || freed != much {
		t.Errorf("%d bytes are free, due: %v", freed, due)
	}
}
