package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/testnet"
)

// A stream is packets at a constant rate. Its sender sleeps between batches, so that
// the processors' idle time says what the packets cost.
type stream struct {
	size   int           // of each frame in bytes, without FCS
	mbit   float64       // a second; 0: as fast as it goes
	frames [][]byte      // sent in turn, each size bytes long
	touch  func([]byte)  // changes a frame before it is sent; may be nil
	length time.Duration // of sending, also when the rate is not reached
	most   int           // packets; 0: no limit
}

// A sending is what a stream has come to.
type sending struct {
	sent    uint64
	arrived uint64  // at the far end; the others are lost on the way
	mbit    float64 // a second
	idle    float64 // percent of the processors' time
}

// stream sends a stream over the pair.
func (r road) stream(s stream) (sending, error) {
	before, lost := r.counters(load{})
	watch, err := watchIdle()
	if err != nil {
		return sending{}, err
	}
	sent, err := r.pour(s)
	if err != nil {
		return sending{}, err
	}
	took := time.Since(watch.start)
	idle, err := watch.percent()
	if err != nil {
		return sending{}, err
	}
	received, dropped := r.counters(load{})
	out := sending{sent: sent, arrived: received - before, idle: idle, mbit: float64(sent) * float64(s.size) * 8 / 1e6 / took.Seconds()}
	if out.arrived+dropped-lost != sent {
		return out, fmt.Errorf("%d packets sent, the kernel says that %d arrived and %d were dropped on the way", sent, out.arrived, dropped-lost)
	}
	return out, nil
}

// pour sends batches, each at its time, and returns how many packets.
func (r road) pour(s stream) (sent uint64, err error) {
	perSecond := s.mbit * 1e6 / 8 / float64(s.size)
	batch := make([][]byte, 0, testnet.MaxBatch)
	for start := time.Now(); time.Since(start) < s.length && (s.most == 0 || sent < uint64(s.most)); {
		if perSecond > 0 {
			sleepUntil(start.Add(time.Duration(float64(sent) / perSecond * float64(time.Second))))
		}
		batch = batch[:0]
		for i := range cap(batch) {
			if s.most > 0 && sent+uint64(i) >= uint64(s.most) {
				break
			}
			frame := s.frames[(sent+uint64(i))%uint64(len(s.frames))]
			if s.touch != nil {
				s.touch(frame)
			}
			batch = append(batch, frame)
		}
		if err := r.sender.SendBatch(batch); err != nil {
			return sent, err
		}
		sent += uint64(len(batch))
	}
	return sent, nil
}

// sleepUntil sleeps in the kernel, whose timers are finer than those of Go.
func sleepUntil(at time.Time) {
	for left := time.Until(at); left > 0; left = time.Until(at) {
		ts := unix.NsecToTimespec(int64(left))
		_ = unix.Nanosleep(&ts, nil) // interrupted: the loop goes on
	}
}

// datagrams returns frames of UDP with random letters, no checksum and room for what a
// stream writes into them.
func datagrams(size int) [][]byte {
	frames := make([][]byte, 2*testnet.MaxBatch) // a batch must not have one twice
	letters := newLetters()
	for i := range frames {
		frames[i] = testnet.UDP(uint64(i), size)
		clear(frames[i][udpSum : udpSum+2])
		letters.fill(frames[i][udpPayload:])
	}
	return frames
}

// Offsets in the frames of testnet.UDP.
const (
	udpDstPort = 14 + 20 + 2
	udpSum     = 14 + 20 + 6
	udpPayload = 14 + 20 + 8
)
