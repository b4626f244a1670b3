package main

import (
	"fmt"
	"time"

	"gomapi/internal/testnet"
)

// A load is packets that are sent over the pair.
type load struct {
	name    string
	size    int     // of each frame in bytes, without FCS
	rate    float64 // packets a second; 0: as many as go
	packets int
	flood   bool // without socket buffers, see testnet.Sender.Flood
}

// A road is the way of the packets, with the kernel's counters as witness.
type road struct {
	ns     *testnet.NS
	sender *testnet.Sender
}

// newRoad makes the pair fit for floods.
func newRoad(ns *testnet.NS) road {
	ns.SetGRO(testnet.B)
	return road{ns: ns, sender: ns.Sender(testnet.A)}
}

// carry sends a load and returns how many packets the interface at the other end
// has received, which all who capture there must account for, and the rate.
func (r road) carry(l load) (arrived uint64, rate float64, err error) {
	before, lost := r.counters(l)
	start := time.Now()
	if l.flood {
		err = r.sender.Flood(testnet.UDP(0, l.size), l.packets)
	} else {
		err = r.paced(l)
	}
	if err != nil {
		return 0, 0, err
	}
	took := time.Since(start)
	received, dropped := r.counters(l)
	arrived, dropped = received-before, dropped-lost
	if arrived+dropped != uint64(l.packets) {
		return 0, 0, fmt.Errorf("%d packets sent, the kernel says that %d arrived and %d were dropped on the way", l.packets, arrived, dropped)
	}
	return arrived, float64(l.packets) / took.Seconds(), nil
}

// counters returns what the kernel has counted at the far end, and what was
// dropped on the way. What a flood loses between the two is counted at both ends
// (veth_get_stats64 in drivers/net/veth.c).
func (r road) counters(l load) (received, dropped uint64) {
	a, b := r.ns.Counters(testnet.A), r.ns.Counters(testnet.B)
	if l.flood {
		return b.RxPackets, b.RxDropped
	}
	return b.RxPackets, b.RxDropped + a.TxDropped
}

// paced sends the packets in batches, each at its time.
func (r road) paced(l load) error {
	frames := make([][]byte, testnet.MaxBatch)
	for i := range frames {
		frames[i] = testnet.UDP(uint64(i), l.size)
	}
	start := time.Now()
	for sent := 0; sent < l.packets; sent += len(frames) {
		if l.rate > 0 {
			await(start.Add(time.Duration(float64(sent) / l.rate * float64(time.Second))))
		}
		if err := r.sender.SendBatch(frames[:min(len(frames), l.packets-sent)]); err != nil {
			return err
		}
	}
	return nil
}

// await returns at a time, to the microsecond: sleeping alone would be too late.
func await(at time.Time) {
	const early = 200 * time.Microsecond
	if left := time.Until(at); left > 2*early {
		time.Sleep(left - early)
	}
	for time.Until(at) > 0 {
	}
}
