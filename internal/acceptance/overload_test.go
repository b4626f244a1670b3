package acceptance

import (
	"context"
	"fmt"
	"math"
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

// TestOverload sends numbered frames faster than anybody can take them: to a
// device with a small ring, to the daemon while it is stopped, and to readers
// that are fast, slow and dead. The packets that each reader misses must equal
// the recorded losses exactly.
//
//	               ┌── fast:  takes packets as they arrive
//	a ═══ b ── mapid ── slow:  takes one for every hundred of the fast one
//	               └── dead:  a stopped program
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
	read := startReaders(t, fast, slow)
	defer read()

	watched := watchBooks(t, d.client())
	defer watched()

	sent := flood(t, ns, d)

	watched()
	after := ns.Counters(testnet.B)
	refused := after.RxDropped - before.RxDropped // by the interface, before the ring
	device := atRest(t, witness, sent-refused)
	if got := after.RxPackets - before.RxPackets; got != device.In {
		t.Errorf("the interface passed on %d packets, the device received %d", got, device.In)
	}
	awaitFast(t, fast, line(t, device, books.Delivered))
	read()

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

// connectReader creates a reader with a separate client.
func connectReader(t *testing.T, d *mapid) *reader {
	t.Helper()
	r, err := newReader(t.Context(), d.client(), testnet.B)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// flood sends, stops the daemon while it sends more than the ring holds, and
// sends again. It returns the number of frames.
func flood(t *testing.T, ns *testnet.NS, d *mapid) (sent uint64) {
	t.Helper()
	sender := ns.Sender(testnet.A)
	frame := testnet.UDP(0, numberedSize)
	send := func(n int) {
		t.Helper()
		for range n {
			testnet.SetNumber(frame, sent)
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

// watchBooks reads the books of the device, which must balance at all times,
// until the returned function is called.
func watchBooks(t *testing.T, c *mapi.Client) (end func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if b, err := c.Books(t.Context(), testnet.B); err != nil || !b.Balances() {
				t.Errorf("in the middle: %d missing, %d on the move, %v: %+v", b.Missing(), b.Moved, err, b)
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// startReaders makes fast take packets, and slow one for every hundred of them.
// The returned function ends fast and waits until slow has taken the rest.
func startReaders(t *testing.T, fast, slow *reader) (end func()) {
	const pace = 100
	ctx, cancel := context.WithCancel(t.Context())
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
			if err := slow.drain(1); err != nil {
				t.Errorf("slow: %v", err)
			}
		}
		if err := slow.drain(math.MaxInt); err != nil {
			t.Errorf("slow: %v", err)
		}
	})
	return func() {
		cancel()
		all.Wait()
	}
}

// awaitFast waits until the fast reader has taken or lost all packets.
func awaitFast(t *testing.T, fast *reader, delivered uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
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
