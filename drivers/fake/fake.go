// Package fake is a driver whose packets come from memory, for tests of what
// runs on devices.
package fake

import (
	"context"
	"sync"
	"sync/atomic"

	"gomapi/drivers"
	"gomapi/internal/mapierr"
	"gomapi/internal/pkt"
)

// A Driver opens the devices that were added to it, any number of times each.
type Driver struct {
	mu      sync.Mutex
	sources map[string]*Source
}

// Add makes a device that clients can open under name.
func (d *Driver) Add(name string, info drivers.Info) *Source {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sources == nil {
		d.sources = make(map[string]*Source)
	}
	s := &Source{info: info, batches: make(chan batch), fail: make(chan error)}
	d.sources[name] = s
	return s
}

// Open implements drivers.Driver.
func (d *Driver) Open(_ context.Context, c drivers.Config) (drivers.Device, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.sources[c.Device]
	if !ok {
		return nil, mapierr.New(mapierr.PcapOpen, "no fake device %q", c.Device)
	}
	s.opened.Add(1)
	return &device{source: s}, nil
}

// A Source feeds a device. Its calls wait for the device to run.
type Source struct {
	info    drivers.Info
	batches chan batch
	fail    chan error
	opened  atomic.Int64
	closed  atomic.Int64
}

type batch struct {
	pkts []drivers.Packet
	done chan struct{}
}

// Send hands one batch to the device and returns when it has been dealt with.
func (s *Source) Send(pkts ...drivers.Packet) {
	s.SendContext(context.Background(), pkts...)
}

// SendContext is Send, but it gives up waiting for the device when ctx ends. It
// reports whether the batch was taken.
func (s *Source) SendContext(ctx context.Context, pkts ...drivers.Packet) bool {
	b := batch{pkts, make(chan struct{})}
	select {
	case s.batches <- b:
		<-b.done
		return true
	case <-ctx.Done():
		return false
	}
}

// End makes the running device end with err; nil is the end of a file.
func (s *Source) End(err error) { s.fail <- err }

// Open returns how many devices of the source are open.
func (s *Source) Open() int { return int(s.opened.Load() - s.closed.Load()) }

// Opened returns how often the source was opened.
func (s *Source) Opened() int { return int(s.opened.Load()) }

type device struct {
	source    *Source
	recv      atomic.Uint64
	truncated atomic.Uint64
	last      atomic.Uint64 // time stamp
	once      sync.Once
}

func (d *device) Info() drivers.Info { return d.source.info }

func (d *device) Run(ctx context.Context, sink drivers.Sink) error {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case err := <-d.source.fail:
			return err
		case b := <-d.source.batches:
			d.deliver(b, sink)
		}
	}
	return nil
}

// deliver answers the sender also when the sink panics.
func (d *device) deliver(b batch, sink drivers.Sink) {
	defer close(b.done)
	d.recv.Add(uint64(len(b.pkts)))
	for i := range b.pkts {
		d.last.Store(b.pkts[i].TS)
		if b.pkts[i].Flags&pkt.Truncated != 0 {
			d.truncated.Add(1)
		}
	}
	sink.Batch(b.pkts)
}

// Stats returns the counters so far. None are waiting: a batch is received when
// it is taken from its sender, and delivered at once.
func (d *device) Stats() drivers.Stats {
	return drivers.Stats{Recv: d.recv.Load(), Truncated: d.truncated.Load(), LastPacketTS: d.last.Load()}
}

func (d *device) Close() error {
	d.once.Do(func() { d.source.closed.Add(1) })
	return nil
}
