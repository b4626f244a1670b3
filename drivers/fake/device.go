package fake

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gomapi/drivers"
	"gomapi/internal/pkt"
)

// device is one opening of a source.
type device struct {
	source  *Source
	batches chan batch
	fail    chan error
	over    chan struct{} // closed when the device takes no more packets
	once    sync.Once

	truncated atomic.Uint64
	reopens   atomic.Uint64
	last      atomic.Uint64 // time stamp
	away      atomic.Bool
	gap       atomic.Bool // mark the next packet

	counts sync.Mutex // recv and drop change together
	recv   uint64
	drop   uint64
}

type batch struct {
	pkts []drivers.Packet
	done chan struct{}
}

func newDevice(s *Source) *device {
	return &device{source: s, batches: make(chan batch), fail: make(chan error), over: make(chan struct{})}
}

func (d *device) Info() drivers.Info { return d.source.info }

func (d *device) Run(ctx context.Context, sink drivers.Sink) error {
	defer d.finish()
	tick := time.NewTimer(0)
	defer tick.Stop()
	if d.source.hold < 0 {
		tick.Stop()
	}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case err := <-d.fail:
			return err
		case b := <-d.batches:
			d.deliver(b, sink, tick)
		case <-tick.C:
			d.pause(sink, tick)
		}
	}
	return nil
}

// pause pauses and sets the timer for the next pause, if there must be one.
func (d *device) pause(sink drivers.Sink, tick *time.Timer) {
	if again := sink.Pause(0, d.source.hold); again.IsZero() {
		tick.Stop()
	} else {
		tick.Reset(time.Until(again))
	}
}

// finish releases everyone who waits for the device.
func (d *device) finish() { d.once.Do(func() { close(d.over) }) }

// deliver replies to the sender even if the sink panics.
func (d *device) deliver(b batch, sink drivers.Sink, tick *time.Timer) {
	defer close(b.done)
	pkts := b.pkts
	if len(pkts) > 0 && d.gap.Swap(false) {
		pkts = slices.Clone(pkts) // the sender's packets must not change
		pkts[0].Flags |= pkt.GapBefore
	}
	d.counts.Lock()
	d.recv += uint64(len(pkts))
	d.counts.Unlock()
	for i := range pkts {
		d.last.Store(pkts[i].TS)
		if pkts[i].Flags&pkt.Truncated != 0 {
			d.truncated.Add(1)
		}
	}
	sink.Batch(pkts)
	d.pause(sink, tick)
}

func (d *device) lose(n uint64) {
	d.counts.Lock()
	defer d.counts.Unlock()
	d.recv += n
	d.drop += n
}

// Fullness implements drivers.Gauge.
func (d *device) Fullness() int { return int(d.source.fullness.Load()) }

// Absent implements drivers.Presence.
func (d *device) Absent() bool { return d.away.Load() }

func (d *device) Stats() drivers.Stats {
	d.counts.Lock()
	recv, drop := d.recv, d.drop
	d.counts.Unlock()
	link := drivers.LinkUp
	if d.away.Load() {
		link = drivers.LinkAbsent
	}
	return drivers.Stats{
		Recv: recv, Drop: drop, Truncated: d.truncated.Load(), Reopens: d.reopens.Load(),
		LinkState: link, LastPacketTS: d.last.Load(),
	}
}

func (d *device) Close() error {
	d.finish()
	d.source.closed(d)
	return nil
}
