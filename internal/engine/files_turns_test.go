package engine

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/flib"
	"gomapi/internal/testenv"
)

// Few of many files are read at a time, a user with one file is not behind one with many, and all
// are read to their ends. What they take is charged.
func TestFilesTakeTurns(t *testing.T) {
	const files, batches = 8, 20
	var at, most, done atomic.Int32
	work := &script{process: func(in []*flib.Packet) []*flib.Packet {
		if n := at.Add(1); n > most.Load() {
			most.Store(n)
		}
		for start := time.Now(); time.Since(start) < 50*time.Microsecond; {
		}
		at.Add(-1)
		done.Add(int32(len(in)))
		return in
	}}
	b := newBed(t, library(map[string]*script{"WORK": work}))
	b.engine.opts.Drivers.AddFormat(drivers.FormatPCAP, tape{batches * drivers.MaxBatch})
	many, single := b.client(1), b.client(2)
	var names []string
	var ends []*client
	for range files {
		names, ends = append(names, many.tape()), append(ends, many)
	}
	names, ends = append(names, single.tape()), append(ends, single)
	for i, name := range names {
		fd, _ := ends[i].flowOn(name, fn("WORK"))
		wantCode(t, "connect", ends[i].Connect(t.Context(), fd), 0)
	}
	for i, name := range names {
		wantCode(t, "start", ends[i].StartOffline(name), 0)
	}
	for i := range names {
		<-ends[i].ended
	}
	if n, limit := most.Load(), int32(max(1, runtime.GOMAXPROCS(0)-1)); n > limit {
		t.Errorf("%d files were read at a time, want %d at most", n, limit)
	}
	if n := done.Load(); n != (files+1)*batches*drivers.MaxBatch {
		t.Errorf("%d packets of %d were read", n, (files+1)*batches*drivers.MaxBatch)
	}
	if m, s := many.user.account.CPU.Spent(), single.user.account.CPU.Spent(); m < files*batches*time.Millisecond/20 || s < batches*time.Millisecond/20 {
		t.Errorf("charged: %v and %v", m, s)
	}
}

// A file that waits for its reader, or that waits for its turn, can be deleted, and the turns go
// on.
func TestDeleteFilesThatWait(t *testing.T) {
	hold := make(chan struct{})
	b := newBed(t, library(map[string]*script{"HOLD": {process: func(in []*flib.Packet) []*flib.Packet {
		<-hold
		return in
	}}}))
	b.engine.opts.Drivers.AddFormat(drivers.FormatPCAP, tape{drivers.MaxBatch})
	c := b.client(1)
	var names []string
	for range runtime.GOMAXPROCS(0) + 3 {
		name := c.tape()
		fd, _ := c.flowOn(name, fn("HOLD"))
		wantCode(t, "connect", c.Connect(t.Context(), fd), 0)
		wantCode(t, "start", c.StartOffline(name), 0)
		names = append(names, name)
	}
	last := names[len(names)-1]
	testenv.Within(t, "deleting a file that waits for its turn", func() {
		done := make(chan error)
		go func() { done <- c.DeleteOffline(last) }()
		select {
		case <-done:
		case <-time.After(100 * time.Millisecond): // it is one of those that have a turn
			close(hold)
			hold = nil
			<-done
		}
	})
	if hold != nil {
		close(hold)
	}
	for range len(names) - 1 {
		<-c.ended
	}
}
