package acceptance

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"gomapi/internal/books"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// TestOverload sends numbered frames faster than anybody takes them, to a
// device with a small ring, to the daemon while it is stopped for a while, and
// to readers that are fast, slow and dead. What each of them misses is, to the
// packet, what was written down as lost.
//
//	               ┌── fast:  takes packets as they come
//	a ═══ b ── mapid ── slow:  one for every hundred of the fast one
//	               └── dead:  a program that was stopped
func TestOverload(t *testing.T) {
	for _, latency := range []string{"efficient", "low"} {
		t.Run(latency, func(t *testing.T) {
			testnet.Run(t, func(ns *testnet.NS) { overload(t, ns, latency) })
		})
	}
}

func overload(t *testing.T, ns *testnet.NS, latency string) {
	d := startSmallRing(t, latency)
	witness := d.client()
	dead := startDeadReader(t, d.socket)
	fast, slow := connectReader(t, d), connectReader(t, d)
	before := ns.Counters(testnet.B)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	slowed := startReaders(t, ctx, fast, slow)

	sent := flood(t, ns, d)

	after := ns.Counters(testnet.B)
	refused := after.RxDropped - before.RxDropped // by the interface: they never reached the ring
	device := atRest(t, witness, sent-refused)
	if got := after.RxPackets - before.RxPackets; got != device.In {
		t.Errorf("the interface passed on %d packets, the device received %d", got, device.In)
	}
	awaitFast(t, fast, line(t, device, books.Delivered))
	cancel()
	slowed.Wait()

	ring := line(t, device, books.LostRing)
	if ring == 0 {
		t.Error("the ring was never full")
	}
	t.Logf("%d sent, %d refused by the interface, %d lost by the ring", sent, refused, ring)
	checkTally(t, "fast", sent, refused+ring, fast.final(t))
	for name, y := range map[string]tally{"slow": slow.final(t), "dead": dead.resume(t)} {
		checkTally(t, name, sent, refused+ring, y)
		if y.Lost == 0 {
			t.Errorf("%s: has lost nothing", name)
		}
	}
	checkBooks(t, witness, device)
}

// checkTally holds what a reader missed against what was lost: for all, and
// for it.
func checkTally(t *testing.T, name string, sent, lostForAll uint64, y tally) {
	t.Helper()
	t.Logf("%s: %d seen, %d lost", name, y.Seen, y.Lost)
	if y.Wrong != "" {
		t.Errorf("%s: %s", name, y.Wrong)
	}
	if missed := sent - y.Seen; missed != lostForAll+y.Lost {
		t.Errorf("%s: %d of %d packets are missing, %d were lost for all and %d for it", name, missed, sent, lostForAll, y.Lost)
	}
}

// startSmallRing runs a daemon with a ring of 1 MiB on b.
func startSmallRing(t *testing.T, latency string) *mapid {
	t.Helper()
	config := filepath.Join(t.TempDir(), "mapi.conf")
	text := fmt.Sprintf("[driver]\ndevice=%s\ndriver=mapinicdrv.so\nring_mb=1\nblock_kb=64\nlatency=%s\n", testnet.B, latency)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return startAt(t, filepath.Join(t.TempDir(), "mapid.sock"), "--config", config)
}

// connectReader makes a reader with a client of its own.
func connectReader(t *testing.T, d *mapid) *reader {
	t.Helper()
	r, err := newReader(t.Context(), d.client(), testnet.B)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// flood sends, stops the daemon while more is sent than the ring holds, and
// sends again. It returns how many frames that were.
func flood(t *testing.T, ns *testnet.NS, d *mapid) (sent uint64) {
	t.Helper()
	sender := ns.Sender(testnet.A)
	frame := testnet.UDP(0, numberedSize)
	send := func(n int) {
		t.Helper()
		for range n {
			testnet.Renumber(frame, sent)
			if err := sender.Send(frame); err != nil {
				t.Fatal(err)
			}
			sent++
		}
	}
	send(20000)
	halt(t, d.cmd.Process)
	send(5000)
	if err := d.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	send(20000)
	return sent
}

// startReaders lets fast take packets until ctx ends, and slow one for every
// hundred of them, and the rest at the end.
func startReaders(t *testing.T, ctx context.Context, fast, slow *reader) *sync.WaitGroup {
	const pace = 100
	step := make(chan struct{}, 1)
	var all sync.WaitGroup
	all.Go(func() {
		defer close(step)
		for p, err := range fast.buffer.Packets(ctx) {
			if err != nil {
				if ctx.Err() == nil {
					t.Errorf("fast: %v", err)
				}
				return
			}
			fast.take(p)
			if fast.seen.Load()%pace == 0 {
				select {
				case step <- struct{}{}:
				default:
				}
			}
		}
	})
	all.Go(func() {
		for range step {
			if _, err := slow.drain(1); err != nil {
				t.Errorf("slow: %v", err)
			}
		}
		if _, err := slow.drain(1 << 30); err != nil {
			t.Errorf("slow: %v", err)
		}
	})
	return &all
}

// atRest waits until the device has received n packets and nothing moves.
func atRest(t *testing.T, c *mapi.Client, n uint64) mapi.Books {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testnet.Patience)
	defer cancel()
	for {
		b, err := c.Books(ctx, testnet.B)
		if err != nil {
			t.Fatal(err)
		}
		if b.In == n && b.Moved == 0 && line(t, b, books.Waiting) == 0 && b.Balances() {
			return b
		}
		if ctx.Err() != nil || b.In > n {
			t.Fatalf("%d packets reached the device: %+v", n, b)
		}
		runtime.Gosched() // counters change without an event, by design
	}
}

// awaitFast waits until the fast reader has taken or lost all.
func awaitFast(t *testing.T, fast *reader, delivered uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testnet.Patience)
	defer cancel()
	for {
		lost, err := fast.buffer.Lost()
		seen := fast.seen.Load()
		if err == nil && seen+lost == delivered {
			return
		}
		if err != nil || ctx.Err() != nil {
			t.Fatalf("fast: of %d packets it has seen %d, lost %d, %v", delivered, seen, lost, err)
		}
		runtime.Gosched()
	}
}

// final returns the tally when no packets are taken any more.
func (r *reader) final(t *testing.T) tally {
	t.Helper()
	y, err := r.tally()
	if err != nil {
		t.Fatal(err)
	}
	return y
}

// line returns a line of the books, which must be there.
func line(t *testing.T, b mapi.Books, name string) uint64 {
	t.Helper()
	for _, l := range b.Out {
		if l.Name == name {
			return l.Value
		}
	}
	t.Fatalf("no line %q in %+v", name, b)
	return 0
}

// checkBooks holds the books of all flows and functions against those of the
// device: exact, and chained to one another.
func checkBooks(t *testing.T, c *mapi.Client, device mapi.Books) {
	t.Helper()
	delivered := line(t, device, books.Delivered)
	flows, err := c.Flows(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(flows) != 3 {
		t.Errorf("%d flows, want those of three readers", len(flows))
	}
	for _, f := range flows {
		if b := f.Books; b == nil || b.Moved != 0 || b.Missing() != 0 || b.In != delivered {
			t.Errorf("flow %d, to which %d packets were delivered: %+v", f.FD, delivered, b)
		}
		functions, err := c.FlowFunctions(t.Context(), f.FD)
		if err != nil {
			t.Fatal(err)
		}
		for _, fn := range functions {
			if b := fn.Books; b == nil || b.Moved != 0 || b.Missing() != 0 || b.In != delivered {
				t.Errorf("%s of flow %d, which %d packets reached: %+v", fn.Name, f.FD, delivered, b)
			}
		}
	}
}
