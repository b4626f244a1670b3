package engine

import (
	"context"
	"maps"
	"sync"
	"time"

	"gomapi/drivers"
	"gomapi/internal/funccall"
	"gomapi/internal/mapierr"
	"gomapi/internal/policy"
)

// DeviceSpec describes a live device of the configuration.
type DeviceSpec struct {
	Name        string // what clients call it
	Alias       string // another name for it, "" without
	Driver      string // name in the driver registry
	Description string
	LinkSpeed   int32 // Mbit/s, 0 unknown
	MPLS, VLAN  bool
	Params      map[string]string // for the driver
	// Unavailable is the reason why no flow can be created on the device, else nil.
	Unavailable error
	// Discovered is set if the device is not in the configuration. It is removed when it
	// is no longer seen, see Discover.
	Discovered bool
}

// A device carries flows. It is either a live device, or an offline one, which belongs to a
// session and has the same capture all its life.
type device struct {
	engine *Engine
	id     int32
	// spec never changes its name. To change Driver, Params and Unavailable, hold
	// lifecycle and Engine.mu; to read them, either. Engine.mu guards the rest.
	spec  DeviceSpec
	owner *Session // of an offline device, else nil
	// recipe is how a derived device is made, nil: it is no derived one. Such a device has the name
	// and number of its parent, and is in no list of devices.
	recipe *recipe

	format drivers.Format // of an offline device

	// lifecycle is held while the device is opened or closed.
	lifecycle sync.Mutex

	// Guarded by Engine.mu.
	cur     *capture    // nil: not open
	users   int         // flows, connected or not
	flows   order       // of an offline device, by fd; else empty
	idle    *time.Timer // closes the device, nil while in use
	lastFid int32       // function ids, shared by all flows of the device
	deleted bool
}

// A recipe says how a derived device is made.
type recipe struct {
	parent *device
	owner  Owner // is charged
	calls  []funccall.Call
}

// DeviceStatus is the state of a device in the numbers of the original API.
type DeviceStatus int32

// States of a device.
const (
	DeviceOnline   DeviceStatus = 0 // live
	DeviceSetUp    DeviceStatus = 1 // file, not started
	DeviceReading  DeviceStatus = 2
	DeviceFinished DeviceStatus = 3 // file read to its end
	DeviceDeleted  DeviceStatus = 4
)

// acquire counts one more flow on the device. It opens the device if it is not open or has
// failed.
func (d *device) acquire(ctx context.Context) (*capture, error) {
	d.lifecycle.Lock()
	defer d.lifecycle.Unlock()
	if d.spec.Unavailable != nil {
		return nil, d.spec.Unavailable
	}
	if err := d.present(); err != nil {
		return nil, err
	}
	d.engine.mu.Lock()
	if err := d.usableLocked(); err != nil {
		d.engine.mu.Unlock()
		return nil, err
	}
	old := d.cur
	if old != nil && (d.owner != nil || !old.ended) {
		d.useLocked()
		d.engine.mu.Unlock()
		return old, nil
	}
	d.cur = nil
	d.engine.mu.Unlock()

	if old != nil {
		old.stop(nil)
	}
	c, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	d.engine.mu.Lock()
	d.cur = c
	d.useLocked()
	d.engine.mu.Unlock()
	return c, nil
}

// usableLocked returns an error if the device takes no more flows. Engine.mu is held.
func (d *device) usableLocked() error {
	switch {
	case d.engine.closed:
		return errShuttingDown
	case d.deleted:
		return errNoDevice(d.spec.Name)
	}
	return nil
}

// present returns an error while the interface of an open device is absent. New flows are
// refused; existing flows wait for the interface. lifecycle is held, so that nobody closes
// the device.
func (d *device) present() error {
	d.engine.mu.Lock()
	c := d.cur
	waiting := c != nil && d.owner == nil && !c.ended
	d.engine.mu.Unlock()
	if !waiting {
		return nil
	}
	if a, ok := c.dev.(drivers.Presence); !ok || !a.Absent() {
		return nil
	}
	return mapierr.New(mapierr.PcapOpen, "device %s: the interface is not there; capturing goes on when it is back", d.spec.Name)
}

// mayCapture returns nil if a grant allows flows on the device, else the refusal.
func (d *device) mayCapture(g *policy.Grant) error {
	d.engine.mu.Lock()
	defer d.engine.mu.Unlock()
	return d.mayCaptureLocked(g)
}

// mayCaptureLocked is mayCapture. Engine.mu is held.
func (d *device) mayCaptureLocked(g *policy.Grant) error {
	return g.Capture(d.namesLocked()...)
}

// namesLocked returns the names of the device in a policy. Engine.mu is held.
func (d *device) namesLocked() []string {
	switch {
	case d.recipe != nil:
		return d.recipe.parent.namesLocked()
	case d.owner != nil:
		return []string{d.format.String()}
	case d.spec.Alias != "":
		return []string{d.spec.Name, d.spec.Alias}
	}
	return []string{d.spec.Name}
}

// log reports what has become of the device. A capture file is its user's.
func (d *device) log(format string, args ...any) {
	if d.owner != nil {
		d.owner.log(format, args...)
		return
	}
	d.engine.opts.Log(format, args...)
}

// open opens a live device and starts capturing.
func (d *device) open(ctx context.Context) (*capture, error) {
	if d.recipe != nil {
		return d.derive(ctx)
	}
	drv, ok := d.engine.opts.Drivers.Live(d.spec.Driver)
	if !ok {
		return nil, mapierr.New(mapierr.NoDriver, "device %s: this daemon has no driver %q", d.spec.Name, d.spec.Driver)
	}
	var dev drivers.Device
	err := report(d.log).safely("opening device "+d.spec.Name, func() (err error) {
		dev, err = drv.Open(ctx, drivers.Config{Device: d.spec.Name, Params: d.spec.Params, Log: d.engine.opts.Log})
		return err
	})
	if err != nil {
		return nil, coded(mapierr.PcapOpen, err)
	}
	c := newCapture(d, dev, nil)
	c.start()
	return c, nil
}

// useLocked counts one more flow. Engine.mu is held.
func (d *device) useLocked() {
	d.users++
	d.keepLocked()
}

// keepLocked cancels the closing of an idle device. Engine.mu is held.
func (d *device) keepLocked() {
	if d.idle != nil && d.idle.Stop() {
		d.engine.tasks.Done()
	}
	d.idle = nil
}

// release counts n flows less. A live device without flows is closed after Options.Linger.
func (d *device) release(n int) {
	d.engine.mu.Lock()
	defer d.engine.mu.Unlock()
	d.users -= n
	if d.users > 0 || d.owner != nil || d.idle != nil || d.deleted || d.engine.closed {
		return
	}
	d.engine.tasks.Add(1)
	d.idle = time.AfterFunc(d.engine.opts.Linger, func() {
		defer d.engine.tasks.Done()
		d.closeIdle()
	})
}

// closeIdle closes the device if nobody uses it.
func (d *device) closeIdle() {
	d.lifecycle.Lock()
	defer d.lifecycle.Unlock()
	d.engine.mu.Lock()
	if d.users > 0 {
		d.engine.mu.Unlock()
		return
	}
	c := d.detachLocked()
	d.engine.mu.Unlock()
	c.stop(nil)
}

// gone reports whether the device was removed.
func (d *device) gone() bool {
	d.engine.mu.Lock()
	defer d.engine.mu.Unlock()
	return d.deleted
}

// forgetLocked removes a derived device that is being closed; a new flow gets another one. Engine.mu is
// held.
func (d *device) forgetLocked() {
	if d.recipe != nil {
		d.deleted = true
		maps.DeleteFunc(d.engine.derived, func(_ derivedKey, own *device) bool { return own == d })
	}
}

// delete closes the device for good. Its remaining flows end with cause.
func (d *device) delete(cause error) {
	d.end(cause, func() { d.deleted = true })
}

// end calls change, under lifecycle and Engine.mu, and closes the device even if it is in
// use. Its flows end with cause.
func (d *device) end(cause error, change func()) {
	d.lifecycle.Lock()
	defer d.lifecycle.Unlock()
	d.engine.mu.Lock()
	change()
	c := d.detachLocked()
	d.engine.mu.Unlock()
	c.stop(cause)
}

// detachLocked removes the capture from the device and returns it, nil if the device is not
// open. The caller stops it. Engine.mu is held.
func (d *device) detachLocked() *capture {
	c := d.cur
	d.cur = nil
	d.keepLocked()
	d.forgetLocked()
	return c
}

// statusLocked returns the state of the device. Engine.mu is held.
func (d *device) statusLocked() DeviceStatus {
	switch {
	case d.deleted:
		return DeviceDeleted
	case d.owner == nil:
		return DeviceOnline
	case d.cur.ended:
		return DeviceFinished
	case d.cur.started:
		return DeviceReading
	}
	return DeviceSetUp
}

// coded gives err the number c unless it has one.
func coded(c mapierr.Code, err error) error {
	if mapierr.CodeOf(err, 0) != 0 {
		return err
	}
	return mapierr.Wrap(c, c.Text(), err)
}
