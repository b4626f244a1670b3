package nic

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/drivers"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
)

// resultLag is how long results may be delayed. Without it, results would be
// updated at each wake-up, up to a thousand times per second.
const resultLag = 200 * time.Millisecond

// thinkOfTime is the number of packets after which the clock is read if packets
// arrive without a pause.
const thinkOfTime = 4096

// Run captures on the calling goroutine until ctx ends, and then returns nil.
// It waits for an interface that goes down or is removed. If the interface
// returns with another link type, Run fails with 1100. Packets that are in the
// ring when ctx ends are not delivered; they remain Waiting.
func (d *device) Run(ctx context.Context, s drivers.Sink) error {
	defer d.wake.watch(ctx)()
	defer d.tellLast()
	for !d.wake.stopped() {
		d.take(s)
		d.warnMerged()
		now := time.Now()
		d.look(now)
		d.take(s) // what was in the ring by now
		changed, err := d.wait(earlier(s.Pause(resultLag, d.hold(now)), d.untilLook()))
		if err == nil && changed {
			err = d.follow(s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// blockDelay is the maximum time between the arrival of a packet and the
// handover of its block. A timer of the kernel looks at the open block every
// retire period (net/packet/af_packet.c, prb_retire_rx_blk_timer_expired). It
// hands over a block that has packets if the same block was open at its last
// look, so at the second look at the latest. The slack covers a period that is
// rounded up to jiffies (at most 10 ms), a late timer, and the way of a packet
// from its timestamp to the block.
func (d *device) blockDelay() time.Duration {
	const slack = 20 * time.Millisecond
	return 2*time.Duration(d.opts.retire)*time.Millisecond + slack
}

// hold is the hold for a Pause if the ring was empty at some time after looked:
// the thread may have been interrupted since.
func (d *device) hold(looked time.Time) time.Duration { return d.blockDelay() + time.Since(looked) }

// take delivers the packets in the ring.
func (d *device) take(s drivers.Sink) {
	for !d.wake.stopped() {
		n := d.sock.ring.fill(&d.view, d.batch)
		d.stats.note(&d.view)
		if n == 0 {
			return
		}
		d.deliver(d.batch[:n], s)
	}
}

func (d *device) deliver(pkts []drivers.Packet, s drivers.Sink) {
	if d.gap {
		pkts[0].Flags |= pkt.GapBefore
		d.gap = false
	}
	d.stats.last.Store(pkts[len(pkts)-1].TS)
	before := d.delivered
	d.delivered += uint64(len(pkts))
	s.Batch(pkts)
	if d.delivered/thinkOfTime != before/thinkOfTime {
		d.look(time.Now())
	}
}

// wait sleeps until there are packets, the interface changes (which it
// reports), wake is called or the given time comes. The zero time means no
// timeout: the kernel hands over a block with packets after retire_ms at the
// latest.
func (d *device) wait(until time.Time) (changed bool, err error) {
	ready, err := d.poller.wait(until)
	if err != nil {
		return false, mapierr.Wrap(mapierr.NICThread, "interface "+d.name+": wait for packets", err)
	}
	for _, e := range ready {
		switch {
		case int(e.Fd) == int(d.control):
			d.control.drain()
			changed = true
		case d.sock != nil && int(e.Fd) == d.sock.fd:
			changed = changed || e.Events&^unix.EPOLLIN != 0
		}
	}
	return changed, nil
}
