package nic

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/pkt"
	"gomapi/internal/testenv"
	"gomapi/internal/testnet"
)

var lowLatency = map[string]string{"latency": "low"}

// TestLongPacketsInFrames has packets longer than a frame, as merging produces
// them. They arrive complete, in order and with their tags, between packets
// that fit.
func TestLongPacketsInFrames(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		r := newRecorder()
		dev, said := openLogged(t, testnet.B, lowLatency) // frames for an MTU of 1500
		ns.SetMTU(65535)
		run := start(t, dev, r)
		var frames [][]byte
		for i := range uint64(50) {
			big := testnet.UDP(3*i, 2000+int(i)*1000)
			frames = append(frames, big, testnet.Tagged(testnet.UDP(3*i+1, 5000), testnet.Tag{TPID: 0x88a8, TCI: 7}), testnet.UDP(3*i+2, 100))
		}
		send(t, ns.Sender(testnet.A), frames...)
		got := r.await(t, len(frames))
		run.stop(t)
		sameFrames(t, got, frames)
		if st := dev.Stats(); st.Truncated != 0 || st.Errors != 0 || st.Drop != 0 {
			t.Errorf("stats %+v", st)
		}
		if said.has("merged") {
			t.Error("a raised MTU counts as merging")
		}
	})
}

// TestQueueOfLongPacketsIsFull checks that long packets which exceed the queue
// are truncated, marked and counted.
func TestQueueOfLongPacketsIsFull(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		hold := make(chan struct{})
		r := newRecorder()
		r.hold = hold
		dev := mustOpen(t, testnet.B, lowLatency)
		ns.SetMTU(65535)
		if err := unix.SetsockoptInt(dev.(*device).sock.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err != nil {
			t.Fatal(err)
		}
		run := start(t, dev, r)
		var frames [][]byte
		for i := range uint64(20) {
			frames = append(frames, testnet.UDP(i, 30000))
		}
		send(t, ns.Sender(testnet.A), frames...)
		close(hold)
		got := r.await(t, len(frames))
		run.stop(t)
		var cut uint64
		for i, p := range got {
			if int(p.Wire) != 30000 || !slices.Equal(p.Link, frames[i][:len(p.Link)]) || (p.Flags == pkt.Truncated) != (len(p.Link) < 30000) {
				t.Fatalf("packet %d: %d bytes of %d, flags %b", i, len(p.Link), p.Wire, p.Flags)
			}
			if len(p.Link) < 30000 {
				cut++
			}
		}
		if st := dev.Stats(); cut == 0 || st.Truncated != cut {
			t.Errorf("%d packets cut: %+v", cut, st)
		}
	})
}

// TestQueueOutOfStep checks that a packet in the queue is not used for a frame
// that it does not belong to.
func TestQueueOutOfStep(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	long := testnet.UDP(2, 5000)
	for _, queued := range [][][]byte{{long}, {testnet.UDP(1, 5000), long}, {testnet.UDP(1, 5000)}, {testnet.UDP(2, 6000)}, {{1}}, nil} {
		for _, q := range queued {
			if _, err := unix.Write(pair[1], q); err != nil {
				t.Fatal(err)
			}
		}
		ring := makeFrames(long[:1800])
		ring.sock, ring.long = pair[0], make([]byte, frameOverhead+drivers.MaxSnap)
		binary.NativeEndian.PutUint32(ring.frame(0)[frameLen:], uint32(len(long)))
		*statusOf(ring.frame(0)) = unix.TP_STATUS_COPY
		ring.handOver(1)
		v := plainView
		batch := make([]drivers.Packet, 4)
		want := 1800
		if len(queued) > 0 && &queued[len(queued)-1][0] == &long[0] {
			want = len(long)
		}
		if n := ring.fill(&v, batch); n != 1 || !slices.Equal(batch[0].Link, long[:want]) {
			t.Errorf("%d packets, %d bytes, want %d", n, len(batch[0].Link), want)
		}
	}
}

// makeFrames fills a ring like the kernel.
func makeFrames(frames ...[]byte) *frameRing {
	r := &frameRing{sock: -1, frames: 1024, mapping: mapping{
		geometry: geometry{frameBytes: 2048}, mem: make([]byte, 1024*2048),
	}}
	ne := binary.NativeEndian
	const at = 70
	for i, f := range frames {
		b := r.frame(uint64(i))
		ne.PutUint32(b[frameLen:], uint32(len(f)))
		ne.PutUint32(b[frameCap:], uint32(len(f)))
		ne.PutUint16(b[frameMAC:], at)
		ne.PutUint16(b[frameNet:], at+14)
		ne.PutUint32(b[frameSec:], 1700000000)
		copy(b[at:], f)
	}
	return r
}

func (r *frameRing) handOver(n int) {
	for i := range n {
		*statusOf(r.frame(r.taken.Load() + uint64(i))) |= unix.TP_STATUS_USER
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	const n = 1024 // the whole ring
	var frames [][]byte
	for i := range uint64(n) {
		frames = append(frames, testnet.UDP(i, 60))
	}
	ring := makeFrames(frames...)
	d := &device{view: plainView, batch: make([]drivers.Packet, drivers.MaxBatch), sock: &socket{fd: -1, ring: ring}}
	s := new(discard)
	allocs := testing.AllocsPerRun(10, func() {
		ring.handOver(n)
		d.take(s)
	})
	if allocs != 0 || s.packets != 11*n {
		t.Errorf("%v allocations, %d packets", allocs, s.packets)
	}
}

// TestBrokenFrames has frames that the kernel never writes. They are counted
// and skipped.
func TestBrokenFrames(t *testing.T) {
	ne := binary.NativeEndian
	for name, spoil := range map[string]func(b []byte){
		"captured is huge":        func(b []byte) { ne.PutUint32(b[frameCap:], 1<<32-1) },
		"frame beyond its end":    func(b []byte) { ne.PutUint32(b[frameCap:], 2048) },
		"frame in the header":     func(b []byte) { ne.PutUint16(b[frameMAC:], 20) },
		"more captured than sent": func(b []byte) { ne.PutUint32(b[frameLen:], 1) },
		"start beyond the frame":  func(b []byte) { ne.PutUint16(b[frameMAC:], 1<<16-1) },
		"queued with a bad start": func(b []byte) {
			ne.PutUint32(b[frameStatus:], unix.TP_STATUS_COPY)
			ne.PutUint16(b[frameMAC:], 1<<16-1)
		},
	} {
		ring := makeFrames(testnet.UDP(0, 60), testnet.UDP(1, 60), testnet.UDP(2, 60))
		spoil(ring.frame(1))
		ring.handOver(3)
		d := &device{view: plainView, batch: make([]drivers.Packet, drivers.MaxBatch), sock: &socket{fd: -1, ring: ring}}
		s := new(discard)
		d.take(s)
		if s.packets != 2 || d.view.broken != 1 {
			t.Errorf("%s: %d packets, %d broken", name, s.packets, d.view.broken)
		}
	}
}

// A stopwatch is a Sink that measures the delay of packets. Their payload holds
// the send time.
type stopwatch struct {
	took []time.Duration
	want int
	done chan struct{} // closed when all expected packets have arrived
}

func (s *stopwatch) Batch(pkts []drivers.Packet) {
	now := time.Now().UnixNano()
	for i := range pkts {
		sent, ok := testnet.Number(pkts[i].Link)
		if !ok {
			continue
		}
		s.took = append(s.took, time.Duration(now-int64(sent)))
		if len(s.took) == s.want {
			close(s.done)
		}
	}
}

func (s *stopwatch) Pause(_, _ time.Duration) time.Time { return time.Time{} }

// delays sends n packets, one per millisecond, and returns their delays to the
// Sink, sorted.
func delays(t testing.TB, ns *testnet.NS, params map[string]string, n int) []time.Duration {
	t.Helper()
	w := &stopwatch{took: make([]time.Duration, 0, n), want: n, done: make(chan struct{})}
	run := start(t, mustOpen(t, testnet.B, params), w)
	s := ns.Sender(testnet.A)
	tick := time.NewTicker(time.Millisecond) // the rate of the measurement
	defer tick.Stop()
	for range n {
		<-tick.C
		send(t, s, testnet.UDP(uint64(time.Now().UnixNano()), 100))
	}
	select {
	case <-w.done:
	case <-time.After(testnet.Patience):
		t.Fatal("packets are missing")
	}
	run.stop(t)
	slices.Sort(w.took)
	return w.took
}

// TestLowLatencyDoesNotWait checks that each packet wakes the device in low
// latency mode. A block would wait a second for more packets, which exceeds the
// time limit of the test. BenchmarkDelay measures the delay.
func TestLowLatencyDoesNotWait(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		r := newRecorder()
		run := start(t, mustOpen(t, testnet.B, map[string]string{"latency": "low", "retire_ms": "1000"}), r)
		s, late := ns.Sender(testnet.A), time.Now().Add(testenv.Patience)
		for n := range 2 * int(testenv.Patience/time.Second) {
			send(t, s, testnet.UDP(uint64(n), 100))
			r.await(t, n+1)
			if time.Now().After(late) {
				t.Fatalf("%d packets took %v, one after the other", n+1, testenv.Patience)
			}
		}
		run.stop(t)
	})
}

func BenchmarkDelay(b *testing.B) {
	for _, params := range latencies {
		b.Run(params["latency"], func(b *testing.B) {
			testnet.Run(b, func(ns *testnet.NS) {
				const n = 5000
				for b.Loop() {
					d := delays(b, ns, params, n)
					b.ReportMetric(float64(d[n/2].Microseconds()), "us-p50")
					b.ReportMetric(float64(d[n*99/100].Microseconds()), "us-p99")
					b.ReportMetric(float64(d[n*999/1000].Microseconds()), "us-p99.9")
				}
			})
		})
	}
}
