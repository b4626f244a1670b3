package engine

import (
	"sync"
	"testing"
	"time"

	"gomapi/internal/datapath"
	"gomapi/internal/pkt"
	"gomapi/internal/shm"
	"gomapi/internal/testenv"
)

// rush runs the loop with batches, with few pauses, until stop is called. stop returns when
// all sums are flushed. Nobody else may send.
func (b *bed) rush(batch []pkt.Packet) (stop func()) {
	l := b.loop()
	quit, stopped := make(chan struct{}), make(chan struct{})
	go func() { // in place of the capture goroutine
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-quit:
				l.Pause(0, -1)
				return
			default:
			}
			if l.Batch(batch); i%8 == 0 {
				l.Pause(time.Duration(i%16)*time.Millisecond, -1) // with 0 all are flushed, else some
			}
		}
	}()
	stop = sync.OnceFunc(func() { close(quit); <-stopped })
	b.t.Cleanup(stop)
	return stop
}

// Flows come and go while packets come, and segments with accumulators become one. Flows that
// stay count every packet once, and nobody writes to the memory of closed flows.
func TestAccumulatorsComeAndGo(t *testing.T) {
	const flows, rounds = 64, 30
	b := newBed(t)
	c := b.client(1)
	c.connected(fn("PKT_COUNTER")) // so that the plan is never empty
	batch := toEach(flows)
	for i := range batch {
		batch[i].TS = 1 << 63 // after every connect
	}
	stop := b.rush(batch)
	var stayed []int32
	var counters []*shm.Reader
	for range rounds {
		fds, results := c.apart(flows, fn("PKT_COUNTER"))
		testenv.Until(t, "a segment has accumulators", func() bool { return b.accumulators() > 0 })
		stayed, counters = append(stayed, fds[0]), append(counters, results[0][0])
		wantCode(t, "close", c.closeAll(fds[1:]), 0)
		fds, results = nil, nil
		for range flows {
			fd, r := c.flow(fn("PKT_COUNTER"))
			fds, results = append(fds, fd), append(results, r)
		}
		total, _ := b.loop().Total()
		testenv.Until(t, "packets pass", func() bool { now, _ := b.loop().Total(); return now >= total+16*flows })
		for _, r := range results {
			wantCount(t, "a flow that is not connected", r[0], 0)
		}
		wantCode(t, "close", c.closeAll(fds), 0)
	}
	stop()
	for i, fd := range stayed {
		f, err := c.Session.flow(fd)
		if err != nil {
			t.Fatal(err)
		}
		wantCount(t, "a flow that stayed", counters[i], f.tallyLocked(1).Packets)
	}
}

// closeAll closes flows one by one.
func (c *client) closeAll(fds []int32) error {
	for _, fd := range fds {
		if err := c.CloseFlow(fd); err != nil {
			return err
		}
	}
	return nil
}

// If flows are closed while the loop is parked in a batch, they get nothing of the rest of
// the batch. Flows that stay get all of it.
func TestAccumulatorsCloseWhileTheLoopWaits(t *testing.T) {
	const flows = 2 * datapath.FlushPerBatch
	var wait func()
	b := newBed(t, parks(func() { wait() }))
	c := b.client(1)
	_, parked := c.connected(fn("BPF_FILTER", "udp dst port 80"), fn("PARK"))
	fds, counters := c.apart(flows, fn("PKT_COUNTER"))
	b.source.Send(udp(0, 0))
	b.merged()
	l := b.loop()
	l.Batch(toEach(flows)) // half are flushed
	var next []*shm.Reader
	wait = func() {
		wait = func() {}
		for i, r := range counters {
			wantCount(t, "while the loop waits", r[0], 1)
			if i%2 == 0 {
				wantCode(t, "close", c.CloseFlow(fds[i]), 0)
			}
		}
		for range flows {
			_, r := c.flow(fn("PKT_COUNTER"))
			next = append(next, r[0])
		}
	}
	l.Batch(append(toEach(flows), udp(80, 0)))
	l.Pause(0, -1)
	if len(next) == 0 {
		t.Fatalf("%v did not wait", parked)
	}
	for i := range flows {
		wantCount(t, "a flow that is not connected", next[i], 0)
		if i%2 == 1 {
			wantCount(t, "a flow that stayed", counters[i][0], 2)
		}
	}
}

// A new link type ends the segment when its filters are compiled. The accumulators keep the
// packets before it, and packets of both link types count afterwards.
func TestAccumulatorsEndWithANewLinkType(t *testing.T) {
	const flows = 2 * datapath.FlushPerBatch
	b := newBed(t)
	c := b.client(1)
	_, counters := c.apart(flows, fn("PKT_COUNTER"))
	b.source.Send(udp(0, 0))
	b.merged()
	l := b.loop()
	l.Batch(toEach(flows)) // half are flushed
	mixed := toEach(flows)
	for _, p := range toEach(flows) {
		p.Link, p.LinkType = p.Link[14:], rawIP
		mixed = append(mixed, p)
	}
	l.Batch(append(mixed, toEach(flows)...))
	b.awaitLinkType(rawIP)
	l.Pause(0, -1)
	for i, r := range counters {
		wantCount(t, "a flow", r[0], 3)
		if f := c.Flows()[i]; !f.Books.Balances() {
			t.Errorf("%+v", f.Books)
		}
	}
	b.merged()
	b.source.Send(mixed...)
	for _, r := range counters {
		wantCount(t, "a flow, merged again", r[0], 5)
	}
}
