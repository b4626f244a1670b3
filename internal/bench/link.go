package main

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/testnet"
)

// A link is the pair of interfaces, with the kernel's counters as witness.
type link struct {
	ns     *testnet.NS
	sender *testnet.Sender
}

// newLink makes the pair fit for floods.
func newLink(ns *testnet.NS) link {
	ns.SetGRO(testnet.B)
	return link{ns: ns, sender: ns.Sender(testnet.A)}
}

// A stream is packets at a constant rate. Its sender sleeps between batches, so that the
// processors' idle time says what the packets cost.
type stream struct {
	name    string        // in the report
	mbit    float64       // a second, as wanted; 0: not said
	frames  [][]byte      // sent in turn
	mark    func([]byte)  // changes a frame before it is sent; may be nil
	rate    float64       // packets a second; 0: as fast as it goes
	packets int           // at most; 0: no limit
	length  time.Duration // of sending, at most; 0: no limit
	flood   bool          // the first frame without socket buffers, see testnet.Sender.Flood
}

// streamOf is a stream of datagrams of Mbit a second.
func (b *bench) streamOf(mbit float64) stream {
	rate := mbit * 1e6 / 8 / frameSize
	return stream{mbit: mbit, frames: datagrams(frameSize), rate: rate, length: b.stream}
}

// send sends a stream over the pair.
func (l link) send(s stream) (r sample) {
	received, dropped := l.counters(s.flood)
	start, idle := time.Now(), idleTime()
	if s.flood {
		r.sent = uint64(s.packets)
		check(l.sender.Flood(s.frames[0], s.packets))
	} else {
		r.sent = l.sendPaced(s)
	}
	took := time.Since(start)
	r.idle = min(100, 100*float64(idleTime()-idle)/float64(took)/float64(runtime.NumCPU()))
	r.rate = float64(r.sent) / took.Seconds()
	r.mbit = r.rate * float64(len(s.frames[0])) * 8 / 1e6
	after, droppedAfter := l.counters(s.flood)
	r.arrived = after - received
	if lost := droppedAfter - dropped; r.arrived+lost != r.sent {
		fail("%d packets sent, the kernel says that %d arrived and %d were dropped on the way",
			r.sent, r.arrived, lost)
	}
	return r
}

// counters returns what the kernel has counted at the far end, and what was
// dropped on the way. What a flood loses between the two is counted at both ends
// (veth_get_stats64 in drivers/net/veth.c).
func (l link) counters(flood bool) (received, dropped uint64) {
	a, b := l.ns.Counters(testnet.A), l.ns.Counters(testnet.B)
	if flood {
		return b.RxPackets, b.RxDropped
	}
	return b.RxPackets, b.RxDropped + a.TxDropped
}

// sendPaced sends batches, each at its time, and returns how many packets.
func (l link) sendPaced(s stream) uint64 {
	batch := make([][]byte, testnet.MaxBatch)
	start, sent := time.Now(), 0
	for ; s.packets == 0 || sent < s.packets; sent += len(batch) {
		if s.length > 0 && time.Since(start) >= s.length {
			break
		}
		if s.rate > 0 {
			sleepUntil(start.Add(time.Duration(float64(sent) / s.rate * float64(time.Second))))
		}
		if s.packets > 0 {
			batch = batch[:min(len(batch), s.packets-sent)]
		}
		for i := range batch {
			batch[i] = s.frames[(sent+i)%len(s.frames)]
			if s.mark != nil {
				s.mark(batch[i])
			}
		}
		check(l.sender.SendBatch(batch))
	}
	return uint64(sent)
}

// sleepUntil sleeps in the kernel, whose timers are finer than those of Go.
func sleepUntil(at time.Time) {
	for left := time.Until(at); left > 0; left = time.Until(at) {
		ts := unix.NsecToTimespec(int64(left))
		_ = unix.Nanosleep(&ts, nil) // interrupted: the loop goes on
	}
}

// idleTime returns how long all processors together have been idle, since the start of
// the machine (proc_stat(5)). Its unit is 10 ms.
func idleTime() time.Duration {
	var busy, idle, wait int64
	stat := string(must(os.ReadFile("/proc/stat")))
	must(fmt.Sscanf(stat, "cpu %d %d %d %d %d", &busy, &busy, &busy, &idle, &wait))
	return time.Duration(idle+wait) * 10 * time.Millisecond
}
