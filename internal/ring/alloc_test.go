package ring

import (
	"context"
	"runtime"
	"sync"
	"testing"
)

func TestPacketsAllocateNothing(t *testing.T) {
	w, r := pair(t, 1<<20)
	p, dst := numbered(1, 1460), make([]Packet, 32)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for name, f := range map[string]func(){
		"Write, Flush, Next": func() {
			for range 64 {
				w.Write(p)
			}
			w.Flush()
			for range 64 {
				if _, err := r.Next(ctx); err != nil {
					t.Fatal(err)
				}
			}
		},
		"WriteWait, TryNext": func() {
			w.WriteWait(p)
			w.Flush()
			r.TryNext()
			r.TryNext()
		},
		"NextBatch": func() {
			for range 32 {
				w.Write(p)
			}
			w.Flush()
			r.NextBatch(ctx, dst)
		},
		"counters": func() { r.Written(); r.Lost(); r.Counts(); w.Counts() },
	} {
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
	full, fullReader := pair(t, 0)
	fill(full)
	if n := testing.AllocsPerRun(1000, func() { full.Write(p); full.Flush() }); n != 0 {
		t.Errorf("full ring: %v allocations, want 0", n)
	}
	asleep := &fullReader.page.sleep
	asleep.Store(1)
	if n := testing.AllocsPerRun(1000, func() { asleep.Add(2); full.wake() }); n != 0 {
		t.Errorf("waking: %v allocations, want 0", n)
	}
}

// TestWaitingAllocatesNothing makes both sides wait for each other all the time. The
// reader's context cannot end, because watching a context that can end allocates when the
// reader sleeps.
func TestWaitingAllocatesNothing(t *testing.T) {
	w, r := pair(t, 0)
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			if _, err := r.Next(context.Background()); err != nil {
				return
			}
		}
	})
	p := numbered(1, 1460)
	if n := testing.AllocsPerRun(100, func() {
		for range 1000 {
			w.WriteWait(p)
		}
		w.Flush()
		for w.page.sleep.Load()%2 == 0 {
			runtime.Gosched()
		}
	}); n != 0 {
		t.Errorf("%v allocations for 1000 packets, want 0", n)
	}
	w.End()
	reader.Wait()
}
