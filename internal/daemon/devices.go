package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"gomapi/internal/config"
	"gomapi/internal/engine"
	"gomapi/internal/mapierr"
)

// nicDriver is the driver of interfaces that no configuration names.
const nicDriver = "mapinicdrv"

// extinct are drivers of adapters that nobody can buy or run any more.
var extinct = map[string]string{
	"mapicombo6drv":  "Combo6 and SCAMPI adapters",
	"mapienp2611drv": "ENP2611 adapters",
}

// reload takes up configurations until ctx ends.
func (d *daemon) reload(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-d.Reload:
			diff := d.configure(c)
			d.report(diff)
			d.warnMissing(slices.DeleteFunc(d.specs(c.Devices), func(s engine.DeviceSpec) bool {
				return !slices.Contains(diff.Added, s.Name) && !slices.Contains(diff.Changed, s.Name)
			}))
		}
	}
}

// configure makes the devices those of a configuration and tells what that
// changed. With all interfaces as devices there is nothing to change: they come
// and go anyway.
func (d *daemon) configure(c *config.Config) engine.Difference {
	d.mu.Lock()
	onlyInterfaces := d.auto && c.Auto
	d.auto = c.Auto
	d.mu.Unlock()
	var diff engine.Difference
	if !onlyInterfaces {
		diff = d.engine.SetDevices(d.specs(c.Devices))
	}
	d.discover()
	return diff
}

// specs are the devices of a configuration, in its order.
func (d *daemon) specs(devices []config.Device) []engine.DeviceSpec {
	var specs []engine.DeviceSpec
	for _, c := range devices {
		spec := engine.DeviceSpec{
			Name: c.Name, Driver: c.Driver, Description: c.Description, LinkSpeed: int32(c.LinkSpeed),
			MPLS: c.MPLS, VLAN: c.VLAN, Params: c.Params, Unavailable: d.unavailable(c),
		}
		if c.Alias != config.DefaultAlias {
			spec.Alias = c.Alias
		}
		specs = append(specs, spec)
	}
	return specs
}

// report logs what became of the devices.
func (d *daemon) report(diff engine.Difference) {
	for _, what := range []struct {
		done  string
		names []string
		flows int
	}{
		{"new", diff.Added, 0},
		{"changed", diff.Changed, diff.ChangedFlows},
		{"no longer served", diff.Removed, diff.RemovedFlows},
	} {
		if len(what.names) > 0 {
			d.Log.Infof("devices %s: %s%s", what.done, listed(what.names), flowsEnded(what.flows))
		}
	}
	d.Log.Info("the configuration was taken up")
}

// flowsEnded tells how many flows have ended with their devices.
func flowsEnded(flows int) string {
	switch flows {
	case 0:
		return ""
	case 1:
		return "; the flow on them has ended"
	}
	return fmt.Sprintf("; the %d flows on them have ended", flows)
}

// maxListed bounds how many names a line of the log has.
const maxListed = 10

// listed returns names for one line of the log.
func listed(names []string) string {
	if len(names) <= maxListed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), len(names)-maxListed)
}

// unavailable says why no flow can be made on a configured device, nil when one
// can.
func (d *daemon) unavailable(c config.Device) error {
	if what, ok := extinct[c.Driver]; ok {
		return mapierr.New(mapierr.NoDriver, "device %s: %s are no longer made, their driver %s is not supported", c.Name, what, c.Driver)
	}
	if _, ok := d.Drivers.Live(c.Driver); !ok {
		return mapierr.New(mapierr.NoDriver, "device %s: driver %s is not part of this mapid", c.Name, c.Driver)
	}
	return nil
}

// warnMissing warns of devices on which no flow can be made now. The lack of a right
// concerns all of them and is told once; parts that this build lacks were told of with
// the configuration.
func (d *daemon) warnMissing(specs []engine.DeviceSpec) {
	refused := false
	for _, s := range specs {
		if s.Unavailable != nil {
			continue
		}
		err := d.missing(s)
		denied := errors.Is(err, os.ErrPermission)
		if err == nil || denied && refused {
			continue
		}
		refused = refused || denied
		d.Log.Warnf("no flow can be made on device %s now: %v", clean(s.Name, maxLogged), err)
	}
}

// discover brings the list of devices up to date with the interfaces that are up,
// when the built-in configuration serves them all. It reports whether it looked.
func (d *daemon) discover() bool {
	specs := d.interfaces()
	if specs == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.auto { // still
		d.engine.Discover(specs)
	}
	return d.auto
}

// interfaceSpec is the device of an interface that no configuration names.
func interfaceSpec(name string) engine.DeviceSpec {
	return engine.DeviceSpec{Name: name, Driver: nicDriver, Description: "network interface", Discovered: true}
}

// seek looks for a device that is not in the list: an interface that has come
// lately or is down, when the built-in configuration serves them all, and an
// alternative name of one in the list. It returns the name to try again with, and
// whether that makes sense.
func (d *daemon) seek(name string) (own string, found bool) {
	found = d.discover()
	if d.Resolve == nil {
		return name, found
	}
	own, err := d.Resolve(name)
	if err != nil {
		return name, found
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.auto {
		d.engine.AddDevice(interfaceSpec(own))
	}
	return own, d.auto || own != name
}

// interfaces are the devices of the built-in configuration, nil with another one, or when
// they cannot be listed.
func (d *daemon) interfaces() []engine.DeviceSpec {
	d.mu.Lock()
	auto := d.auto
	d.mu.Unlock()
	if !auto || d.Interfaces == nil {
		return nil
	}
	names, err := d.Interfaces()
	if err != nil {
		d.Log.Warnf("list interfaces: %v", err)
		return nil
	}
	specs := make([]engine.DeviceSpec, len(names))
	for i, name := range names {
		specs[i] = interfaceSpec(name)
	}
	return specs
}
