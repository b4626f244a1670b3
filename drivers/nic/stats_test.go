package nic

import (
	"os"
	"sync"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/testnet"
)

var tinyRing = map[string]string{"ring_mb": "1", "block_kb": "64"}

// TestBooksBalanceUnderOverload has a ring that is too small. Each packet is
// delivered or counted as dropped, and delivered packets are whole and in
// order.
func TestBooksBalanceUnderOverload(t *testing.T) {
	for _, params := range latencies {
		params := map[string]string{"ring_mb": "1", "block_kb": "64", "latency": params["latency"]}
		testnet.Run(t, func(ns *testnet.NS) {
			const sent = 3000 // of 1500 bytes, into 1 MiB
			hold := make(chan struct{})
			r := newRecorder()
			r.hold = hold
			dev := mustOpen(t, testnet.B, params)
			run := start(t, dev, r)
			s := ns.Sender(testnet.A)
			before := ns.Counters(testnet.B)
			for i := range uint64(sent) {
				send(t, s, testnet.UDP(i, 1500))
			}
			if got := ns.Counters(testnet.B).RxPackets - before.RxPackets; got != sent {
				t.Fatalf("the kernel saw %d of %d packets on b", got, sent)
			}
			close(hold)
			r.until(t, "what the ring did not drop", func() bool {
				st := dev.Stats()
				return st.Recv == sent && st.Waiting == 0
			})
			run.stop(t)
			st := dev.Stats()
			balance(t, st, uint64(len(r.packets())))
			if st.Recv != sent {
				t.Errorf("%d sent, %d received", sent, st.Recv)
			}
			if st.Drop == 0 || (st.Freezes == 0) != (params["latency"] == "low") {
				t.Errorf("the ring was not too small: %+v", st)
			}
			checkWhole(t, r.packets())
		})
	}
}

func checkWhole(t *testing.T, got []drivers.Packet) {
	t.Helper()
	last := -1
	for i, p := range got {
		n, ok := testnet.Number(p.Link)
		if !ok || int(n) <= last || string(p.Link) != string(testnet.UDP(n, 1500)) {
			t.Fatalf("packet %d: number %d after %d, %d bytes", i, n, last, len(p.Link))
		}
		last = int(n)
	}
}

// TestStatsManyReaders checks that concurrent readers of the counters do not
// lose counts of each other.
func TestStatsManyReaders(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		const sent = 10000
		r := newRecorder()
		dev := mustOpen(t, testnet.B, tinyRing)
		run := start(t, dev, r)
		stop := make(chan struct{})
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() { watchCounters(t, dev, stop) })
		}
		s := ns.Sender(testnet.A)
		for i := range uint64(sent) {
			send(t, s, testnet.UDP(i, 1000))
		}
		r.until(t, "the packets", func() bool {
			st := dev.Stats()
			return st.Recv == sent && uint64(len(r.packets())) == sent-st.Drop
		})
		close(stop)
		readers.Wait()
		run.stop(t)
		st := dev.Stats()
		balance(t, st, uint64(len(r.packets())))
		if st.Recv != sent {
			t.Errorf("%d sent: %+v", sent, st)
		}
	})
}

// watchCounters reads counters until stop and checks that they never decrease.
func watchCounters(t *testing.T, dev drivers.Device, stop <-chan struct{}) {
	var last drivers.Stats
	for {
		select {
		case <-stop:
			return
		default:
		}
		now := dev.Stats()
		if now.Recv < last.Recv || now.Drop < last.Drop || now.Freezes < last.Freezes || now.Drop > now.Recv {
			t.Errorf("counters after %+v: %+v", last, now)
			return
		}
		last = now
	}
}

// TestInterfaceDrops uses a tap device, which counts packets written while it
// is down as rx_dropped.
func TestInterfaceDrops(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		tap := newTap(t, netlink.TUNTAP_MODE_TAP)
		frame := testnet.UDP(1, 100)
		if _, err := tap.Write(frame); err == nil {
			t.Fatal("the tap device is down and accepts frames")
		}
		dev := mustOpen(t, "tap", nil)
		if st := dev.Stats(); st != (drivers.Stats{LinkState: drivers.LinkDown}) {
			t.Errorf("drops before Open are counted: %+v", st)
		}
		for range 5 {
			if _, err := tap.Write(frame); err == nil {
				t.Fatal("the tap device is down and accepts frames")
			}
		}
		want := drivers.Stats{IfDropOther: 5, LinkState: drivers.LinkDown}
		if st := dev.Stats(); st != want {
			t.Errorf("stats %+v, want %+v", st, want)
		}
		dev.Close()
		if st := dev.Stats(); st != want {
			t.Errorf("stats after Close %+v, want %+v", st, want)
		}
	})
}

// TestCapturedAndDropped has packets that no protocol of this machine takes.
// They count in rx_dropped of the interface, although they were captured. They
// are no loss.
func TestCapturedAndDropped(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		dev, r := mustOpen(t, testnet.B, nil), newRecorder()
		run := start(t, dev, r)
		before := ns.Counters(testnet.B)
		s := ns.Sender(testnet.A)
		const frames = 10
		for i := range uint64(frames) {
			send(t, s, testnet.Tagged(testnet.UDP(i, 100), testnet.Tag{TPID: 0x8100, TCI: 10}, testnet.Tag{TPID: 0x8100, TCI: 20}))
		}
		r.await(t, frames)
		run.stop(t)
		dropped := ns.Counters(testnet.B).RxDropped - before.RxDropped
		if dropped == 0 {
			t.Skip("this kernel does not count them")
		}
		if st := dev.Stats(); st.Recv != frames || st.IfDrop != 0 || st.IfDropOther != dropped {
			t.Errorf("stats %+v, the kernel dropped %d", st, dropped)
		}
	})
}

// newTap creates the interface "tap", Ethernet or without link header.
func newTap(t *testing.T, mode netlink.TuntapMode) *os.File {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "tap"
	tap := &netlink.Tuntap{LinkAttrs: attrs, Mode: mode, Flags: unix.IFF_NO_PI, Queues: 1, NonPersist: true}
	if err := netlink.LinkAdd(tap); err != nil {
		t.Fatalf("make a tun device: %v", err)
	}
	f := tap.Fds[0]
	t.Cleanup(func() { f.Close() })
	return f
}

func TestGrowth(t *testing.T) {
	var g growth
	for _, step := range []struct{ now, want uint64 }{
		{1000, 0}, {1000, 0}, {1005, 5}, {3, 5}, {10, 12}, {1 << 40, 12 + 1<<40 - 10},
	} {
		if g.update(step.now); g.total != step.want {
			t.Errorf("at %d: %d, want %d", step.now, g.total, step.want)
		}
	}
}
