// Package fake is a driver with packets from memory, for tests. Package
// mapi/mapitest makes it available to users of package mapi.
package fake

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"gomapi/drivers"
	"gomapi/internal/mapierr"
)

// A Driver opens the devices that were added to it, each any number of times.
type Driver struct {
	mu      sync.Mutex
	sources map[string]*Source
}

// Add adds a device that clients can open as name.
func (d *Driver) Add(name string, info drivers.Info) *Source {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sources == nil {
		d.sources = make(map[string]*Source)
	}
	s := &Source{name: name, info: info, hold: -1}
	d.sources[name] = s
	return s
}

// Open implements drivers.Driver. It returns 1026 for an unknown name and for a
// removed device.
func (d *Driver) Open(_ context.Context, c drivers.Config) (drivers.Device, error) {
	d.mu.Lock()
	s, ok := d.sources[c.Device]
	d.mu.Unlock()
	if !ok {
		return nil, mapierr.New(mapierr.PcapOpen, "no fake device %q", c.Device)
	}
	return s.open()
}

// A Source feeds a device. Any goroutine may use it. No call waits after the
// device is closed. Packets go to the open device only; only one can be open.
type Source struct {
	name string
	info drivers.Info
	hold time.Duration // see drivers.Sink.Pause

	fullness atomic.Int32 // percent

	mu     sync.Mutex
	dev    *device // the device opened last, nil after its Close
	opened int
	away   bool
}

// SetHold sets the hold of all pauses, see drivers.Sink.Pause: packet time goes on while nothing
// is sent. By default it is negative, and packet time stands still. It is called before the
// device is opened.
func (s *Source) SetHold(hold time.Duration) { s.hold = hold }

// SetFullness sets how much of the device's room for waiting packets is taken, in percent, as
// far as the device tells. In truth no packet waits.
func (s *Source) SetFullness(percent int) { s.fullness.Store(int32(percent)) }

func (s *Source) open() (*device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, s.absent()
	}
	s.opened++
	s.dev = newDevice(s)
	return s.dev, nil
}

// closed clears d unless the source has been opened again.
func (s *Source) closed(d *device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dev == d {
		s.dev = nil
	}
}

// current returns the open device.
func (s *Source) current() (*device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.away:
		return nil, s.absent()
	case s.dev == nil:
		return nil, mapierr.New(mapierr.Stats, "device %s is not open: packets come only while a flow uses it", s.name)
	}
	return s.dev, nil
}

func (s *Source) absent() error {
	return mapierr.New(mapierr.PcapOpen, "device %s: the interface is not there", s.name)
}

// Send passes one batch to the device and returns when the device has handled
// it. The device keeps no reference to it. Errors: 8004 if the device is not
// open, 1026 if it was removed, 1100 if it has ended; then nothing was
// delivered.
func (s *Source) Send(pkts ...drivers.Packet) error {
	d, err := s.current()
	if err != nil {
		return err
	}
	b := batch{pkts, make(chan struct{})}
	select {
	case d.batches <- b:
		<-b.done
		return nil
	case <-d.over:
		return s.ended()
	}
}

// Lose makes the device count n packets as received and dropped because the
// ring was full. It has the errors of Send.
func (s *Source) Lose(n uint64) error {
	d, err := s.current()
	if err == nil {
		d.lose(n)
	}
	return err
}

// End makes the running device end with err; nil means the end of a file. It
// has the errors of Send.
func (s *Source) End(err error) error {
	d, failed := s.current()
	if failed != nil {
		return failed
	}
	select {
	case d.fail <- err:
		return nil
	case <-d.over:
		return s.ended()
	}
}

func (s *Source) ended() error {
	return mapierr.New(mapierr.NICThread, "device %s has ended: the next flow reopens it", s.name)
}

// Remove removes the interface: an open device waits for its return, and Open
// fails.
func (s *Source) Remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = true
	if s.dev != nil {
		s.dev.away.Store(true)
	}
}

// Restore makes the interface return. The next packet is marked as following a
// gap.
func (s *Source) Restore() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = false
	if s.dev != nil && s.dev.away.Swap(false) {
		s.dev.gap.Store(true)
		s.dev.reopens.Add(1)
	}
}

// Open returns how many devices of the source are open: 0 or 1.
func (s *Source) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dev == nil {
		return 0
	}
	return 1
}

// Opened returns how often the source was opened.
func (s *Source) Opened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}
