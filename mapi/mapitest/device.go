package mapitest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gomapi/drivers/fake"
	"gomapi/internal/mapierr"
	"gomapi/mapi"
)

// A Device is a live device of a daemon, seen from the network. Any goroutine
// may use it; packets sent concurrently arrive in any order.
//
// Send calls return at once if nobody can take the packets: 8004 no flow has
// been created on the device, 1026 the interface was removed, 1100 the device
// has ended and no flow was created since, 3200 the daemon has no such device.
// They also return when the test ends. A device stays open for 5 s after its
// last flow was closed; it accepts packets in this time, but no flow sees them.
type Device struct {
	daemon   *Daemon
	name     string
	linkType uint16
	source   *fake.Source
	unknown  error // the daemon has no such device
}

// Device returns the device with this name. If the daemon has no such device,
// all its calls return 3200.
func (d *Daemon) Device(name string) *Device {
	if dev, ok := d.devices[name]; ok {
		return dev
	}
	has := strings.Join(slices.Sorted(maps.Keys(d.devices)), ", ")
	return &Device{unknown: mapierr.New(mapierr.NoDriver, "no device %q: this daemon has %s", name, has)}
}

// Lose simulates n packets for which the daemon is too slow: they are counted
// as received and dropped.
func (d *Device) Lose(n int) error {
	switch {
	case d.unknown != nil:
		return d.unknown
	case n < 0:
		return mapierr.New(mapierr.InvalidArgument1, "device %s: %d packets cannot be lost", d.name, n)
	}
	return d.source.Lose(uint64(n))
}

// End makes the device fail with err, or end like a file if err is nil. Its
// flows finish soon afterwards; mapi.Flow.Wait waits for that. The next flow
// reopens the device. An err without a number of the API becomes 1100.
func (d *Device) End(err error) error {
	if d.unknown != nil {
		return d.unknown
	}
	d.daemon.auditEnding(d.name)
	return d.source.End(d.coded(err))
}

// coded adds a number of the API to err, unless err has one. A plain mapi.Code
// is an error too, but the daemon would pass on its number only.
func (d *Device) coded(err error) error {
	if err == nil || mapierr.CodeOf(err, 0) != 0 {
		return err
	}
	code := mapi.ErrNICThread
	errors.As(err, &code)
	return mapierr.Wrap(code, "device "+d.name, err)
}

// Remove removes the interface. Flows wait for its return; new flows fail with
// 1026. It may be called more than once.
func (d *Device) Remove() error {
	if d.unknown == nil {
		d.source.Remove()
	}
	return d.unknown
}

// Restore makes a removed interface return; its flows continue.
func (d *Device) Restore() error {
	if d.unknown == nil {
		d.source.Restore()
	}
	return d.unknown
}

// askEvery is the polling interval for states without an event.
const askEvery = time.Millisecond

// AwaitFlows waits until at least n flows on the device are connected, of any
// program of the user, or until ctx ends.
func (d *Device) AwaitFlows(ctx context.Context, n int) error {
	if d.unknown != nil {
		return d.unknown
	}
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		connected, err := d.connected(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("%d of %d flows on %s are connected: %w", connected, n, d.name, ctx.Err())
		}
		if err != nil || connected >= n {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func (d *Device) connected(ctx context.Context) (n int, err error) {
	flows, err := d.daemon.control.Flows(ctx)
	for _, f := range flows {
		if f.Device == d.name && f.Status == mapi.FlowActive {
			n++
		}
	}
	return n, err
}
