package engine

import (
	"fmt"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/internal/datapath"
	"gomapi/internal/shm"
)

// apart connects n flows with counters, each with a filter for its own port, from 1 on.
func (c *client) apart(n int, counters ...[]any) (fds []int32, results [][]*shm.Reader) {
	for i := range n {
		fd, r := c.connected(append([][]any{fn("BPF_FILTER", fmt.Sprintf("udp dst port %d", 1+i))}, counters...)...)
		fds, results = append(fds, fd), append(results, r[1:])
	}
	return fds, results
}

// toEach makes a packet to each of n ports, from 1 on.
func toEach(n int) (pkts []drivers.Packet) {
	for i := range n {
		pkts = append(pkts, udp(uint16(1+i), uint32(i)))
	}
	return pkts
}

// accumulators returns how many flows have an accumulator.
func (b *bed) accumulators() (n int) {
	for _, s := range b.loop().Segments() {
		n += s.Stats().Accumulators
	}
	return n
}

// Flows whose functions only add up have an accumulator, in any order and number that fits.
// Other flows, and flows with equal filters, have none. All count the same.
func TestAccumulators(t *testing.T) {
	packets, bytes := fn("PKT_COUNTER"), fn("BYTE_COUNTER")
	for name, c := range map[string]struct {
		counters     [][]any
		accumulators int
	}{
		"nothing":      {nil, 10},
		"packets":      {[][]any{packets}, 10},
		"bytes, twice": {[][]any{bytes, packets}, 10},
		"three":        {[][]any{packets, bytes, packets}, 0},
		"not a sum":    {[][]any{fn("STR_SEARCH", "x", int64(0), int64(0)), packets}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			user := b.client(1)
			_, results := user.apart(10, c.counters...)
			b.source.Send(toEach(10)...)
			b.merged()
			if n := b.accumulators(); n != c.accumulators {
				t.Errorf("%d accumulators, want %d", n, c.accumulators)
			}
			b.source.Send(toEach(10)...)
			for i, f := range user.Flows() {
				if !f.Books.Balances() {
					t.Errorf("flow %d: %+v", f.FD, f.Books)
				}
				for j, r := range results[i] {
					want := uint64(2)
					if c.accumulators == 0 && name == "not a sum" {
						want = 0
					}
					if c.counters[j][0] == "BYTE_COUNTER" {
						want *= uint64(udp(1, 0).Wire)
					}
					if r != nil {
						wantCount(t, fmt.Sprintf("flow %d, function %d", i, j), r, want)
					}
				}
			}
		})
	}
}

// Nothing is added to the results of a closed flow, because another flow may have its memory.
// The results of that flow begin with 0.
func TestClosedAccumulator(t *testing.T) {
	const flows = 2 * datapath.FlushPerBatch
	b := newBed(t)
	c := b.client(1)
	fds, _ := c.apart(flows, fn("PKT_COUNTER"), fn("BYTE_COUNTER"))
	b.source.Send(udp(0, 0))
	b.merged()
	b.source.Send(udp(0, 0))
	b.loop().Batch(toEach(flows)) // half are flushed
	for _, fd := range fds {
		if err := c.CloseFlow(fd); err != nil {
			t.Fatal(err)
		}
	}
	var next [][]*shm.Reader
	for range flows {
		_, r := c.flow(fn("PKT_COUNTER"), fn("BYTE_COUNTER"))
		next = append(next, r)
	}
	b.loop().Batch(toEach(flows))
	b.loop().Pause(0, -1)
	for i, r := range next {
		wantCount(t, fmt.Sprintf("flow %d", i), r[0], 0)
		wantCount(t, fmt.Sprintf("flow %d", i), r[1], 0)
	}
}

// The same holds for a flow that is closed before its segment begins.
func TestClosedBeforeTheSegmentBegins(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	fds, results := c.apart(10, fn("PKT_COUNTER"))
	b.source.Send(udp(0, 0))
	b.merged()
	if err := c.CloseFlow(fds[3]); err != nil {
		t.Fatal(err)
	}
	_, next := c.flow(fn("PKT_COUNTER"))
	b.source.Send(toEach(10)...)
	wantCount(t, "the next flow", next[0], 0)
	wantCount(t, "another", results[4][0], 1)
}

// A flow that others begin to refer to leaves its accumulator and keeps its sums.
func TestReferenceToAnAccumulator(t *testing.T) {
	var all []*looker
	b := newBed(t, lookers(&all))
	c := b.client(1)
	fds, results := c.apart(10, fn("PKT_COUNTER"))
	b.source.Send(toEach(10)...)
	b.merged()
	b.source.Send(toEach(10)...)
	b.loop().Batch(toEach(10)) // not all are flushed
	c.look(fds[7])
	b.source.Send(toEach(10)...)
	if got, want := fmt.Sprint(all[0].seen), "[3 3 3 3 3 3 3 4 4 4]"; got != want {
		t.Errorf("the function that refers saw %s, want %s", got, want)
	}
	for i, r := range results {
		wantCount(t, fmt.Sprintf("flow %d", i), r[0], 4)
	}
	for _, f := range c.Flows() {
		if !f.Books.Balances() {
			t.Errorf("flow %d: %+v", f.FD, f.Books)
		}
	}
}

// The same holds for flows that get the sums of a tree.
func TestClosedSum(t *testing.T) {
	const flows = 2 * datapath.FlushPerBatch
	b := newBed(t)
	c := b.client(1)
	fds, _ := c.equals(flows)
	b.source.Send(udp(0, 0))
	b.merged()
	b.source.Send(udp(0, 0))
	b.loop().Batch([]drivers.Packet{udp(53, 0)})
	for _, fd := range fds {
		if err := c.CloseFlow(fd); err != nil {
			t.Fatal(err)
		}
	}
	_, next := c.flow(fn("PKT_COUNTER"))
	b.loop().Pause(0, -1)
	for i := range flows {
		_, r := c.flow(fn("PKT_COUNTER"))
		wantCount(t, fmt.Sprintf("flow %d", i), r[0], 0)
	}
	wantCount(t, "the next flow", next[0], 0)
}

// If very many flows get packets, some results may be out of date after a pause, for as long
// as the device allows. Pause returns when to call it again.
func TestResultsStayBehind(t *testing.T) {
	const flows = 4 * datapath.FlushPerPause
	for name, connect := range map[string]func(*client) []*shm.Reader{
		"accumulators": func(c *client) (all []*shm.Reader) {
			_, results := c.apart(flows, fn("PKT_COUNTER"))
			for _, r := range results {
				all = append(all, r[0])
			}
			return all
		},
		"nodes": func(c *client) []*shm.Reader {
			_, all := c.equals(flows)
			return all
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			results := connect(b.client(1))
			b.source.Send(udp(0, 0))
			b.merged()
			b.source.Send(udp(0, 0))
			pkts := toEach(flows)
			if name == "nodes" {
				pkts = []drivers.Packet{udp(53, 0)}
			}
			want := func(total uint64) {
				t.Helper()
				n := uint64(0)
				for _, r := range results {
					n += r.Uint64()
				}
				if n != total {
					t.Errorf("%d packets are told, want %d", n, total)
				}
			}
			l := b.loop()
			l.Batch(pkts)
			if again := l.Pause(time.Hour, -1); !again.IsZero() {
				t.Errorf("none was ever flushed, and it comes again at %v", again)
			}
			want(flows)
			l.Batch(pkts)
			again := l.Pause(time.Hour, -1)
			if left := time.Until(again); left < 50*time.Minute || left > time.Hour {
				t.Errorf("to come again in %v, want an hour", left)
			}
			want(flows)
			if later := l.Pause(time.Hour, -1); later != again {
				t.Errorf("to come again at %v, then at %v", again, later)
			}
			if again := l.Pause(time.Nanosecond, -1); !again.IsZero() {
				t.Errorf("the time has come, and it comes again at %v", again)
			}
			want(2 * flows)
			l.Batch([]drivers.Packet{udp(1000, 0)})
			if again := l.Pause(time.Hour, -1); !again.IsZero() {
				t.Errorf("few have part, and it comes again at %v", again)
			}
		})
	}
}

// A flush cycle continues while no packet comes, until all results are up to date.
func TestFlushCycleInSilence(t *testing.T) {
	const flows = datapath.FlushPerStep + 100
	b := newBed(t)
	_, results := b.client(1).equals(flows)
	b.source.Send(udp(0, 0))
	b.merged()
	b.source.Send(udp(0, 0))
	l := b.loop()
	packet := []drivers.Packet{udp(53, 0)}
	l.Batch(packet)
	l.Pause(time.Hour, -1)
	l.Batch(packet) // most results get 2
	l.Batch(packet)
	lag := time.Nanosecond // has always passed
	for pauses := 1; ; pauses++ {
		again := l.Pause(lag, -1)
		lag = time.Hour
		if again.IsZero() {
			break
		}
		if pauses > 5 || time.Until(again) > time.Second {
			t.Fatalf("pause %d: to come again at %v", pauses, again)
		}
	}
	for i, r := range results {
		wantCount(t, fmt.Sprintf("flow %d", i), r, 3)
	}
}

// While packets come without a pause, all results are flushed at least twice a second.
func TestResultsOfARush(t *testing.T) {
	const flows = 4 * datapath.FlushPerBatch
	b := newBed(t)
	_, results := b.client(1).apart(flows, fn("PKT_COUNTER"))
	b.source.Send(udp(0, 0))
	b.merged()
	pkts := toEach(flows)
	for i, step := range []struct{ ts, want uint64 }{
		{1 << 63, flows},
		{1<<63 + datapath.RushCycle, flows},
		{1<<63 + datapath.RushCycle + 1, 3 * flows},
		{1<<63 + datapath.RushCycle + 2, 3 * flows},
	} {
		for i := range pkts {
			pkts[i].TS = step.ts
		}
		b.loop().Batch(pkts)
		n := uint64(0)
		for _, r := range results {
			n += r[0].Uint64()
		}
		if n != step.want {
			t.Errorf("batch %d: %d packets are told, want %d", i, n, step.want)
		}
	}
}

// The books of a function that lets all packets through never show refused packets, in an
// accumulator and in a tree.
func TestSharedRefuseNothing(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	equal, _ := c.equals(10)
	apart, _ := c.apart(10, fn("PKT_COUNTER"), fn("BYTE_COUNTER"))
	b.source.Send(toEach(10)...)
	b.merged()
	b.source.Send(toEach(10)...)
	l := b.loop()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // in place of the capture goroutine, which gets no packets
		defer close(stopped)
		for pkts := append(toEach(10), udp(53, 0)); ; {
			select {
			case <-stop:
				return
			default:
				l.Batch(pkts)
			}
		}
	}()
	for _, fd := range []int32{equal[0], apart[9]} {
		f, err := c.Session.flow(fd)
		if err != nil {
			t.Fatal(err)
		}
		for range 1_000_000 {
			if n := f.tallyLocked(1).Refused; n != 0 {
				t.Errorf("flow %d refused %d", fd, n)
				break
			}
		}
	}
	close(stop)
	<-stopped
}
