package nic

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/testenv"
	"gomapi/internal/testnet"
)

// slowToRetire keeps packets in the open block while a test inspects them.
func slowToRetire(latency map[string]string) map[string]string {
	params := map[string]string{"ring_mb": "1", "block_kb": "64", "retire_ms": "1000"}
	maps.Copy(params, latency)
	return params
}

// balance checks that the books are exact while no packet is in transit.
func balance(t *testing.T, st drivers.Stats, delivered uint64) {
	t.Helper()
	if st.Recv != delivered+st.Drop+st.Errors+st.Waiting {
		t.Errorf("%d delivered: %+v", delivered, st)
	}
}

// awaitRecv waits until the device has received n packets.
func awaitRecv(t *testing.T, dev drivers.Device, n uint64) drivers.Stats {
	t.Helper()
	testenv.Until(t, fmt.Sprintf("%d packets that were sent are received", n), func() bool { return dev.Stats().Recv >= n })
	return dev.Stats() // again, after the last packet is counted everywhere
}

// TestWaitingIsCounted checks that untaken packets count as waiting: in an open
// block, in blocks that were handed over, and in frames, including long
// packets. It also checks this after Close, with and without the interface.
func TestWaitingIsCounted(t *testing.T) {
	for _, latency := range latencies {
		for _, c := range []struct {
			packets, size int
			deleted       bool
		}{{0, 60, false}, {1, 60, false}, {7, 1514, true}, {300, 1514, false}, {5000, 1514, true}, {20, 9000, false}} {
			testnet.Run(t, func(ns *testnet.NS) {
				dev := mustOpen(t, testnet.B, slowToRetire(latency)) // frames for an MTU of 1500
				ns.SetMTU(9000)
				s := ns.Sender(testnet.A)
				for i := range uint64(c.packets) {
					send(t, s, testnet.UDP(i, c.size))
				}
				st := awaitRecv(t, dev, uint64(c.packets))
				balance(t, st, 0)
				if st.Recv != uint64(c.packets) || (st.Drop > 0) != (c.packets == 5000) || st.Waiting == 0 && c.packets > 0 {
					t.Errorf("%v, %d packets of %d bytes: %+v", latency, c.packets, c.size, st)
				}
				if c.deleted {
					ns.Delete(testnet.B)
					st.LinkState = drivers.LinkAbsent
				}
				for range 2 {
					if err := dev.Close(); err != nil {
						t.Error(err)
					}
					if after := dev.Stats(); after != st {
						t.Errorf("after Close %+v, before %+v", after, st)
					}
				}
			})
		}
	}
}

// TestWaitingInTwoRings checks that packets left in a closed ring still count
// as waiting when there is a new ring.
func TestWaitingInTwoRings(t *testing.T) {
	for _, latency := range latencies {
		testnet.Run(t, func(ns *testnet.NS) {
			dev := mustOpen(t, testnet.B, slowToRetire(latency)).(*device)
			s := ns.Sender(testnet.A)
			const first, second = 5, 3
			for i := range uint64(first) {
				send(t, s, testnet.UDP(i, 100))
			}
			awaitRecv(t, dev, first)
			if err := dev.detach(); err != nil {
				t.Fatal(err)
			}
			if st := dev.Stats(); st.Waiting != first {
				t.Errorf("%v, without a ring: %+v", latency, st)
			}
			n, ok := dev.find()
			if !ok {
				t.Fatal("interface b is missing")
			}
			if err := dev.attach(n); err != nil {
				t.Fatal(err)
			}
			for i := range uint64(second) {
				send(t, s, testnet.UDP(i, 100))
			}
			if st := awaitRecv(t, dev, first+second); st.Recv != first+second || st.Waiting != first+second {
				t.Errorf("%v: %+v", latency, st)
			}
		})
	}
}

// TestWaitingWhenTheInterfaceGoes checks that packets in the ring when the
// interface is removed are delivered, even from an open block, and are no
// longer waiting.
func TestWaitingWhenTheInterfaceGoes(t *testing.T) {
	for _, latency := range latencies {
		testnet.Run(t, func(ns *testnet.NS) {
			r := newRecorder()
			dev := mustOpen(t, testnet.B, slowToRetire(latency))
			s := ns.Sender(testnet.A)
			for i := range uint64(100) {
				send(t, s, testnet.UDP(i, 1000))
			}
			awaitRecv(t, dev, 100)
			ns.Delete(testnet.B)
			run := start(t, dev, r)
			r.await(t, 100) // the device is waiting for an interface now
			ns.AddPair()
			ns.AwaitCapture(testnet.B)
			run.stop(t)
			s = ns.Sender(testnet.A)
			for i := range uint64(50) {
				send(t, s, testnet.UDP(i, 1000))
			}
			st := dev.Stats()
			if balance(t, st, 100); st.Recv != 100 || st.Waiting != 0 || st.Reopens != 1 {
				t.Errorf("%v: %+v", latency, st)
			}
		})
	}
}

// A counter is a Sink that only counts.
type counter struct{ packets atomic.Uint64 }

func (c *counter) Batch(pkts []drivers.Packet) { c.packets.Add(uint64(len(pkts))) }

func (c *counter) Pause(_, _ time.Duration) time.Time { return time.Time{} }

// flood sends at full speed until the returned function is called.
func flood(t *testing.T, ns *testnet.NS, size int) (end func()) {
	s := ns.Sender(testnet.A)
	frame := testnet.UDP(1, size)
	var enough atomic.Bool
	done := ns.Go(func() {
		for !enough.Load() {
			if err := s.Send(frame); err != nil {
				t.Errorf("flood: %v", err)
				return
			}
		}
	})
	return func() {
		enough.Store(true)
		<-done
	}
}

// TestCloseUnderLoadBalances checks that the books of a device closed during a
// flood are exact.
func TestCloseUnderLoadBalances(t *testing.T) {
	for _, latency := range latencies {
		testnet.Run(t, func(ns *testnet.NS) {
			end := flood(t, ns, 60)
			for range 10 {
				c := new(counter)
				dev := mustOpen(t, testnet.B, latency) // with room for packets after Run
				run := start(t, dev, c)
				awaitRecv(t, dev, 1000)
				run.stop(t)
				balance(t, dev.Stats(), c.packets.Load())
			}
			end()
		})
	}
}

// TestBooksUnderLoad checks that the books differ by no more than the packets
// that moved between two reads.
func TestBooksUnderLoad(t *testing.T) {
	for _, latency := range latencies {
		testnet.Run(t, func(ns *testnet.NS) {
			c := new(counter)
			dev := mustOpen(t, testnet.B, slowToRetire(latency))
			run := start(t, dev, c)
			end := flood(t, ns, 200)
			for read := 0; c.packets.Load() < 100000; read++ {
				first := dev.Stats()
				before := c.packets.Load()
				st := dev.Stats()
				after := c.packets.Load()
				missing := int64(st.Recv - st.Drop - st.Errors - st.Waiting - before)
				moved := int64(st.Recv - first.Recv + after - before + drivers.MaxBatch)
				if missing < 0 || missing > moved {
					t.Errorf("reading %d: %d of at most %d missing, %d to %d delivered, %+v", read, missing, moved, before, after, st)
					break
				}
			}
			end()
			run.stop(t)
			balance(t, dev.Stats(), c.packets.Load())
		})
	}
}

// A kernelBlock is a block as the kernel leaves it: its number and its packet
// count.
type kernelBlock struct {
	number  uint64
	packets int
	status  uint32
}

// TestWaitingBlocks checks that the count of a released block is ignored until
// the kernel opens the block again.
func TestWaitingBlocks(t *testing.T) {
	const user = unix.TP_STATUS_USER
	for name, c := range map[string]struct {
		blocks []kernelBlock
		place  uint64
		want   uint64
	}{
		"new ring":            {[]kernelBlock{{1, 0, 0}, {0, 0, 0}, {0, 0, 0}}, placeOf(0, 0), 0},
		"open block":          {[]kernelBlock{{1, 5, 0}, {0, 0, 0}, {0, 0, 0}}, placeOf(0, 0), 5},
		"handed over":         {[]kernelBlock{{1, 5, user}, {2, 0, 0}, {0, 0, 0}}, placeOf(0, 2), 3},
		"and open":            {[]kernelBlock{{1, 5, user}, {2, 7, 0}, {0, 0, 0}}, placeOf(0, 5), 7},
		"given back":          {[]kernelBlock{{1, 5, 0}, {2, 7, user | unix.TP_STATUS_BLK_TMO}, {3, 9, 0}}, placeOf(1, 0), 16},
		"all given back":      {[]kernelBlock{{1, 5, 0}, {2, 7, 0}, {3, 9, 0}}, placeOf(3, 0), 0},
		"opened again":        {[]kernelBlock{{4, 1, 0}, {2, 7, user}, {3, 9, user}}, placeOf(1, 3), 4 + 9 + 1},
		"full":                {[]kernelBlock{{4, 1, user}, {2, 7, user}, {3, 9, user}}, placeOf(1, 7), 9 + 1},
		"full, one was freed": {[]kernelBlock{{4, 1, user}, {2, 7, 0}, {3, 9, user}}, placeOf(2, 0), 9 + 1},
		"more than fit":       {[]kernelBlock{{1, 1 << 30, user}, {2, 0, 0}, {0, 0, 0}}, placeOf(0, 0), 4096 / packetHeader},
	} {
		r := &blockRing{number: 1, mapping: mapping{
			geometry: geometry{blockBytes: 4096, blocks: 3}, mem: make([]byte, 3*4096),
		}}
		for i, k := range c.blocks {
			b := r.block(uint64(i))
			binary.NativeEndian.PutUint64(b[blockNumber:], k.number)
			binary.NativeEndian.PutUint32(b[blockPackets:], uint32(k.packets))
			binary.NativeEndian.PutUint32(b[blockStatus:], k.status)
		}
		r.reached.Store(c.place)
		if got := r.waiting(); got != c.want {
			t.Errorf("%s: %d packets, want %d", name, got, c.want)
		}
	}
}

// TestWaitingFrames checks that frames taken but not yet released are not
// waiting, even if all others are.
func TestWaitingFrames(t *testing.T) {
	var frames [][]byte
	for i := range uint64(1024) {
		frames = append(frames, testnet.UDP(i, 60))
	}
	r := makeFrames(frames...)
	r.handOver(1024)
	v := plainView
	batch := make([]drivers.Packet, 100)
	for want := 1024; want > 0; {
		if got := r.waiting(); got != uint64(want) {
			t.Fatalf("%d packets, want %d", got, want)
		}
		want -= r.fill(&v, batch)
	}
	if n := r.fill(&v, batch); n != 0 || r.waiting() != 0 {
		t.Errorf("%d packets more, %d waiting", n, r.waiting())
	}
}

// TestPlace checks that a place can number each packet of the largest block
// that options allow.
func TestPlace(t *testing.T) {
	var o options
	if err := o.set("block_kb", "65536"); err != nil {
		t.Fatal(err)
	}
	most := uint32(o.blockBytes / packetHeader)
	if p := placeOf(1<<44-1, most); blocksOf(p) != 1<<44-1 || packetsOf(p) != uint64(most) {
		t.Errorf("%x: %d blocks, %d packets of %d", p, blocksOf(p), packetsOf(p), most)
	}
}

// TestFullness checks that a ring tells how full it is: at a pause it is empty, and when it was
// full it says so until its packets are taken.
func TestFullness(t *testing.T) {
	for _, latency := range latencies {
		testnet.Run(t, func(ns *testnet.NS) {
			dev := mustOpen(t, testnet.B, slowToRetire(latency))
			s := ns.Sender(testnet.A)
			for i := range uint64(3000) { // more than fit
				send(t, s, testnet.UDP(i, 1400))
			}
			if st := awaitRecv(t, dev, 3000); st.Drop == 0 {
				t.Fatalf("%v: the ring is not full: %+v", latency, st)
			}
			g := &gauge{Gauge: dev.(drivers.Gauge), paused: make(chan struct{})}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- dev.Run(ctx, g) }()
			<-g.paused
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if g.first < 80 || g.first > 100 || g.rises > 0 || g.last > 5 {
				t.Errorf("%v: full to %d %% at first, %d %% at the pause; it has risen %d times", latency, g.first, g.last, g.rises)
			}
		})
	}
}

// A gauge is a sink that looks how full its device is.
type gauge struct {
	drivers.Gauge
	batches, first, last, rises int
	paused                      chan struct{}
	once                        sync.Once
}

func (g *gauge) look() {
	now := g.Fullness()
	if g.batches++; g.batches == 1 {
		g.first = now
	} else if now > g.last {
		g.rises++
	}
	g.last = now
}

func (g *gauge) Batch([]drivers.Packet) { g.look() }

func (g *gauge) Pause(_, _ time.Duration) time.Time {
	g.once.Do(func() { g.look(); close(g.paused) })
	return time.Time{}
}
