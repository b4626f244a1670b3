package drivertest

import (
	"context"
	"sync"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/internal/leak"
)

// openClose opens and closes many times, every other time with a run. It makes
// fewer rounds for live devices, for which a round takes the kernel longer.
func openClose(t *testing.T, w World) {
	rounds := 1000
	if w.endless() {
		rounds = 100
	}
	before, err := leak.Held()
	if err != nil {
		t.Fatal(err)
	}
	for i := range rounds {
		dev, err := w.Open()
		if err != nil {
			t.Fatalf("open number %d: %v", i, err)
		}
		if i%2 == 0 {
			r := start(dev, newChecker(t, w, dev))
			r.cancel()
			r.end(t)
		}
		if err := dev.Close(); err != nil {
			t.Fatalf("close number %d: %v", i, err)
		}
	}
	if err := leak.Since(before); err != nil {
		t.Error(err)
	}
}

// runEnded runs with a context that has already ended.
func runEnded(t *testing.T, w World) {
	dev := open(t, w)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := newChecker(t, w, dev)
	if err := dev.Run(ctx, c); err != nil {
		t.Errorf("Run: %v", err)
	}
	if c.n != 0 {
		t.Errorf("%d packets after the end of the context", c.n)
	}
}

func stopIdle(t *testing.T, w World) {
	if !w.endless() {
		t.Skip("a file is never idle")
	}
	dev := open(t, w)
	c := newChecker(t, w, dev)
	r := start(dev, c)
	w.Feed(t.Context(), 1) // a packet proves that Run has started
	c.await(1)
	r.stop(t)
}

// pause feeds one packet at a time. After each packet the device must call
// Pause.
func pause(t *testing.T, w World) {
	if !w.endless() {
		t.Skip("a file never waits for packets")
	}
	dev := open(t, w)
	c := newChecker(t, w, dev)
	r := start(dev, c)
	for i := range 3 {
		w.Feed(t.Context(), 1)
		deadline := time.After(patience)
		for n := 0; n <= i; {
			select {
			case n = <-c.paused:
			case <-deadline:
				t.Fatalf("no pause after packet %d", i+1)
			}
		}
	}
	r.stop(t)
}

func stopUnderLoad(t *testing.T, w World) {
	dev := open(t, w)
	c := newChecker(t, w, dev)
	c.w.Is = func(int, drivers.Packet) bool { return true } // some may be lost
	r := start(dev, c)
	load, enough := context.WithCancel(t.Context())
	var feeder sync.WaitGroup
	if w.endless() {
		feeder.Go(func() {
			for load.Err() == nil {
				w.Feed(load, 100)
			}
		})
	}
	c.await(1)
	r.stop(t)
	enough()
	feeder.Wait()
}

// An endless device gets packets in portions that fit every queue.
const (
	fed     = 1000
	portion = 100
)

// all feeds all packets and returns when they have arrived.
func all(t *testing.T, w World, dev drivers.Device) *checker {
	t.Helper()
	c := newChecker(t, w, dev)
	r := start(dev, c)
	want := w.Packets
	if w.endless() {
		want = fed
		for came := portion; came <= fed; came += portion {
			w.Feed(t.Context(), portion)
			c.await(came)
		}
		r.stop(t)
	} else {
		r.end(t) // at the end of the file
	}
	if c.n != want {
		t.Errorf("%d packets of %d arrived", c.n, want)
	}
	return c
}

func packets(t *testing.T, w World) { all(t, w, open(t, w)) }

// stats reads counters while packets arrive, and compares them with the
// packets.
func stats(t *testing.T, w World) {
	dev := open(t, w)
	stop := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() { watch(t, dev, stop) })
	c := all(t, w, dev)
	close(stop)
	reader.Wait()
	st := dev.Stats()
	balance(t, st, c.n)
	if st.Drop != 0 || st.Errors != 0 || st.Waiting != 0 {
		t.Errorf("%d packets arrived: %+v", c.n, st)
	}
	if st.Truncated != c.truncated || st.LastPacketTS != c.last || st.Reopens != 0 {
		t.Errorf("%d packets were truncated, the last had time %x: %+v", c.truncated, c.last, st)
	}
	if err := dev.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if after := dev.Stats(); after != st {
		t.Errorf("stats after Close: %+v, before: %+v", after, st)
	}
}

// watch reads counters until stop and checks that they never decrease.
func watch(t *testing.T, dev drivers.Device, stop <-chan struct{}) {
	var last drivers.Stats
	for {
		now := dev.Stats()
		for name, c := range map[string][2]uint64{
			"Recv":           {last.Recv, now.Recv},
			"Drop":           {last.Drop, now.Drop},
			"IfDrop":         {last.IfDrop, now.IfDrop},
			"IfDropOther":    {last.IfDropOther, now.IfDropOther},
			"Freezes":        {last.Freezes, now.Freezes},
			"Truncated":      {last.Truncated, now.Truncated},
			"OutOfTime":      {last.OutOfTime, now.OutOfTime},
			"Errors":         {last.Errors, now.Errors},
			"Reopens":        {last.Reopens, now.Reopens},
			"Filtered":       {last.Filtered, now.Filtered},
			"SkippedRecords": {last.SkippedRecords, now.SkippedRecords},
			"UnknownLosses":  {last.UnknownLosses, now.UnknownLosses},
		} {
			if c[1] < c[0] {
				t.Errorf("%s went from %d to %d", name, c[0], c[1])
				return
			}
		}
		last = now
		select {
		case <-stop:
			return
		default:
		}
	}
}

// closeTwice closes devices that never ran and that did.
func closeTwice(t *testing.T, w World) {
	for _, ran := range []bool{false, true} {
		dev := open(t, w)
		if ran {
			r := start(dev, newChecker(t, w, dev))
			r.cancel()
			r.end(t)
		}
		st := dev.Stats()
		for range 2 {
			if err := dev.Close(); err != nil {
				t.Errorf("Close, device ran %v: %v", ran, err)
			}
		}
		if after := dev.Stats(); after != st {
			t.Errorf("stats after Close: %+v, before: %+v", after, st)
		}
	}
}
