package drivertest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"gomapi/drivers"
	"gomapi/internal/testenv"
)

// balance checks the rule of drivers.Stats, which is exact while no packet is
// in transit.
func balance(t *testing.T, st drivers.Stats, delivered int) {
	t.Helper()
	if st.Recv != uint64(delivered)+st.Drop+st.Errors+st.Filtered+st.Waiting {
		t.Errorf("%d packets were delivered: %+v", delivered, st)
	}
}

// closeBalanced closes dev and checks that no counter changes.
func closeBalanced(t *testing.T, dev drivers.Device, delivered int) {
	t.Helper()
	st := dev.Stats()
	balance(t, st, delivered)
	if err := dev.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if after := dev.Stats(); after != st {
		t.Errorf("stats after Close: %+v, before: %+v", after, st)
	}
}

// A busy sink stays in its first batch until it is released.
type busy struct {
	*checker
	once  sync.Once
	begun chan struct{} // closed in the first batch
	leave chan struct{} // to be closed
}

func newBusy(t *testing.T, w World, dev drivers.Device) *busy {
	return &busy{checker: newChecker(t, w, dev), begun: make(chan struct{}), leave: make(chan struct{})}
}

// Batch implements drivers.Sink.
func (b *busy) Batch(pkts []drivers.Packet) {
	b.checker.Batch(pkts)
	b.once.Do(func() {
		close(b.begun)
		<-b.leave
	})
}

// stoppedBooks stops a device while packets wait. It checks the books while the
// sink is busy, after the end of Run, and after Close.
func stoppedBooks(t *testing.T, w World) {
	dev := open(t, w)
	b := newBusy(t, w, dev)
	r := start(dev, b)
	feed, enough := context.WithCancel(t.Context())
	var feeder sync.WaitGroup
	if w.endless() {
		feeder.Go(func() { w.Feed(feed, 1+w.Queue) })
	}
	<-b.begun
	if w.endless() {
		received(t, dev, 1+w.Queue)
	}
	st := dev.Stats()
	balance(t, st, b.n)
	if (st.Waiting > 0) != (w.Queue > drivers.MaxBatch) {
		t.Errorf("%d packets are with the sink: %+v", b.n, st)
	}
	r.cancel()
	close(b.leave)
	r.end(t)
	enough()
	feeder.Wait()
	closeBalanced(t, dev, b.n)
}

// neverRunBooks closes a device that has received packets but never ran.
func neverRunBooks(t *testing.T, w World) {
	dev := open(t, w)
	if w.Queue > 0 {
		w.Feed(t.Context(), w.Queue)
		received(t, dev, w.Queue)
	}
	closeBalanced(t, dev, 0)
}

// received waits until the device has received n packets.
func received(t *testing.T, dev drivers.Device, n int) {
	t.Helper()
	testenv.Until(t, fmt.Sprintf("%d packets that were fed are received", n), func() bool { return dev.Stats().Recv >= uint64(n) })
}
