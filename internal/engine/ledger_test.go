package engine

import (
	"fmt"
	"testing"
	"time"

	"gomapi/drivers"
	"gomapi/internal/shm"
)

// apart connects n flows with ports of their own from 1 on, and counters.
func (c *client) apart(n int, counters ...[]any) (fds []int32, results [][]*shm.Reader) {
	for i := range n {
		fd, r := c.connected(append([][]any{fn("BPF_FILTER", fmt.Sprintf("udp dst port %d", 1+i))}, counters...)...)
		fds, results = append(fds, fd), append(results, r[1:])
	}
	return fds, results
}

// toEach is a packet for each of n ports from 1 on.
func toEach(n int) (pkts []drivers.Packet) {
	for i := range n {
		pkts = append(pkts, udp(uint16(1+i), uint32(i)))
	}
	return pkts
}

// withLedgers returns how many members of the level have ledgers.
func (b *bed) withLedgers() (n int) {
	for _, lv := range b.loop().plan.Load().levels {
		for i := range lv.ledgers.list {
			if lv.ledgers.list[i].kind != 0 {
				n++
			}
		}
	}
	return n
}

// Functions that add up have a ledger, in any order and number that fits; others, and
// flows with the same filter, have not. All count the same.
func TestLedgers(t *testing.T) {
	packets, bytes := fn("PKT_COUNTER"), fn("BYTE_COUNTER")
	for name, c := range map[string]struct {
		counters [][]any
		ledgers  int
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
			b.settled()
			if n := b.withLedgers(); n != c.ledgers {
				t.Errorf("%d ledgers, want %d", n, c.ledgers)
			}
			b.source.Send(toEach(10)...)
			for i, f := range user.Flows() {
				if !f.Books.Balances() {
					t.Errorf("flow %d: %+v", f.FD, f.Books)
				}
				for j, r := range results[i] {
					want := uint64(2)
					if c.ledgers == 0 && name == "not a sum" {
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

// Sums of a file come some at a time while packets rush by, and all at its end.
func TestLedgersHandOn(t *testing.T) {
	const flows = 3 * sumsPerBatch
	b := newBed(t)
	c := b.client(1)
	_, results := c.apart(flows, fn("PKT_COUNTER"))
	b.source.Send(udp(0, 0))
	b.settled()
	b.source.Send(udp(0, 0)) // the level begins
	b.engine.devices[0].owner = c.Session
	b.loop().Batch(toEach(flows))
	seen := func() (n uint64) {
		for _, r := range results {
			n += r[0].Uint64()
		}
		return n
	}
	for i := range uint64(3) {
		if n := seen(); n != (i+1)*sumsPerBatch {
			t.Errorf("after %d batches %d packets are told, want %d", i+1, n, (i+1)*sumsPerBatch)
		}
		b.loop().Batch([]drivers.Packet{udp(0, 0)})
	}
	b.loop().Batch(toEach(flows))
	b.loop().Pause(0)
	for i, r := range results {
		wantCount(t, fmt.Sprintf("flow %d", i), r[0], 2)
	}
}

// A closed flow is handed nothing, as its memory is that of another one; that one
// begins with nothing.
func TestClosedLedger(t *testing.T) {
	const flows = 2 * sumsPerBatch
	b := newBed(t)
	c := b.client(1)
	fds, _ := c.apart(flows, fn("PKT_COUNTER"), fn("BYTE_COUNTER"))
	b.source.Send(udp(0, 0))
	b.settled()
	b.source.Send(udp(0, 0))
	b.loop().Batch(toEach(flows)) // half are handed theirs
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
	b.loop().Pause(0)
	for i, r := range next {
		wantCount(t, fmt.Sprintf("flow %d", i), r[0], 0)
		wantCount(t, fmt.Sprintf("flow %d", i), r[1], 0)
	}
}

// A flow closed before its level begins is handed nothing either.
func TestClosedBeforeTheLedgerBegins(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	fds, results := c.apart(10, fn("PKT_COUNTER"))
	b.source.Send(udp(0, 0))
	b.settled()
	if err := c.CloseFlow(fds[3]); err != nil {
		t.Fatal(err)
	}
	_, next := c.flow(fn("PKT_COUNTER"))
	b.source.Send(toEach(10)...)
	wantCount(t, "the next flow", next[0], 0)
	wantCount(t, "another", results[4][0], 1)
}

// A flow that others begin to refer to leaves its ledger with what it has.
func TestReferenceToALedger(t *testing.T) {
	var all []*looker
	b := newBed(t, lookers(&all))
	c := b.client(1)
	fds, results := c.apart(10, fn("PKT_COUNTER"))
	b.source.Send(toEach(10)...)
	b.settled()
	b.source.Send(toEach(10)...)
	b.loop().Batch(toEach(10)) // not handed to all
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

// The same holds for flows that are handed the sums of a branch.
func TestClosedSum(t *testing.T) {
	const flows = 2 * sumsPerBatch
	b := newBed(t)
	c := b.client(1)
	fds, _ := c.equals(flows)
	b.source.Send(udp(0, 0))
	b.settled()
	b.source.Send(udp(0, 0))
	b.loop().Batch([]drivers.Packet{udp(53, 0)})
	for _, fd := range fds {
		if err := c.CloseFlow(fd); err != nil {
			t.Fatal(err)
		}
	}
	_, next := c.flow(fn("PKT_COUNTER"))
	b.loop().Pause(0)
	for i := range flows {
		_, r := c.flow(fn("PKT_COUNTER"))
		wantCount(t, fmt.Sprintf("flow %d", i), r[0], 0)
	}
	wantCount(t, "the next flow", next[0], 0)
}

// Where very many flows have part in the packets, their results may stay behind at a
// pause, for as long as the device says. It says when to come again.
func TestResultsStayBehind(t *testing.T) {
	const flows = 4 * sumsPerPause
	for name, connect := range map[string]func(*client) []*shm.Reader{
		"ledgers": func(c *client) (all []*shm.Reader) {
			_, results := c.apart(flows, fn("PKT_COUNTER"))
			for _, r := range results {
				all = append(all, r[0])
			}
			return all
		},
		"branches": func(c *client) []*shm.Reader {
			_, all := c.equals(flows)
			return all
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			results := connect(b.client(1))
			b.source.Send(udp(0, 0))
			b.settled()
			b.source.Send(udp(0, 0))
			pkts := toEach(flows)
			if name == "branches" {
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
			if again := l.Pause(time.Hour); !again.IsZero() {
				t.Errorf("all were never handed theirs, and it comes again at %v", again)
			}
			want(flows)
			l.Batch(pkts)
			again := l.Pause(time.Hour)
			if left := time.Until(again); left < 50*time.Minute || left > time.Hour {
				t.Errorf("to come again in %v, want an hour", left)
			}
			want(flows)
			if later := l.Pause(time.Hour); later != again {
				t.Errorf("to come again at %v, then at %v", again, later)
			}
			if again := l.Pause(time.Nanosecond); !again.IsZero() {
				t.Errorf("the time has come, and it comes again at %v", again)
			}
			want(2 * flows)
			l.Batch([]drivers.Packet{udp(1000, 0)})
			if again := l.Pause(time.Hour); !again.IsZero() {
				t.Errorf("few have part, and it comes again at %v", again)
			}
		})
	}
}

// A round goes on while no packet comes, until all are told all.
func TestRoundInSilence(t *testing.T) {
	const flows = sumsPerRound + 100
	b := newBed(t)
	_, results := b.client(1).equals(flows)
	b.source.Send(udp(0, 0))
	b.settled()
	b.source.Send(udp(0, 0))
	l := b.loop()
	packet := []drivers.Packet{udp(53, 0)}
	l.Batch(packet)
	l.Pause(time.Hour)
	l.Batch(packet) // most are told of two
	l.Batch(packet)
	l.rounds.last = time.Time{}
	for pauses := 1; ; pauses++ {
		again := l.Pause(time.Hour)
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

// While packets rush by without a pause, all results are told twice a second at least.
func TestResultsOfARush(t *testing.T) {
	const flows = 4 * sumsPerBatch
	b := newBed(t)
	_, results := b.client(1).apart(flows, fn("PKT_COUNTER"))
	b.source.Send(udp(0, 0))
	b.settled()
	pkts := toEach(flows)
	for i, step := range []struct{ ts, want uint64 }{
		{1 << 63, flows},
		{1<<63 + rushRound, flows},
		{1<<63 + rushRound + 1, 3 * flows},
		{1<<63 + rushRound + 2, 3 * flows},
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

// A function that lets all packets through refuses none, whenever it is asked, in a
// ledger and in a branch.
func TestSharesRefuseNothing(t *testing.T) {
	b := newBed(t)
	c := b.client(1)
	c.equals(10)
	c.apart(10, fn("PKT_COUNTER"), fn("BYTE_COUNTER"))
	b.source.Send(toEach(10)...)
	b.settled()
	b.source.Send(toEach(10)...)
	l := b.loop()
	shares := l.levels[0].shares
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // the part of the capture goroutine, to which nobody sends
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
	for _, sh := range []*share{shares[0], shares[len(shares)-1]} {
		for range 1_000_000 {
			if n := sh.chain.tally(l, 0).refused; n != 0 {
				t.Errorf("refused %d, in a ledger: %v", n, sh.ledger != nil)
				break
			}
		}
	}
	close(stop)
	<-stopped
}
