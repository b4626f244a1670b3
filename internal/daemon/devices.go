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

// nicDriver is the driver of interfaces without a configuration entry.
const nicDriver = "mapinicdrv"

// extinct are drivers of adapters that are no longer sold or in use.
var extinct = map[string]string{
	"mapicombo6drv":  "Combo6 and SCAMPI adapters",
	"mapienp2611drv": "ENP2611 adapters",
}

// reload applies configurations until ctx ends.
func (d *daemon) reload(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-d.Reload:
			d.setUsers(c)
			if n := d.engine.SetPolicy(d.policyOf(c)); n > 0 {
				d.Log.Infof("flows that have lost their right and have ended: %d", n)
			}
			diff := d.configure(c)
			d.report(diff)
			d.warnMissing(slices.DeleteFunc(d.specs(c.Devices), func(s engine.DeviceSpec) bool {
				return !slices.Contains(diff.Added, s.Name) && !slices.Contains(diff.Changed, s.Name)
			}))
		}
	}
}

// configure replaces the devices by those of a configuration and returns the
// changes. If both the old and the new configuration serve all interfaces,
// there is nothing to replace: discover updates the devices.
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

// report logs the changes of the devices.
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

// flowsEnded describes how many flows ended with their devices.
func flowsEnded(flows int) string {
	switch flows {
	case 0:
		return ""
	case 1:
		return "; the flow on them has ended"
	}
	return fmt.Sprintf("; the %d flows on them have ended", flows)
}

// maxListed is the maximum number of names in a log line.
const maxListed = 10

// listed formats names for one log line.
func listed(names []string) string {
	if len(names) <= maxListed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), len(names)-maxListed)
}

// unavailable returns why no flow can be created on a configured device, nil if
// one can.
func (d *daemon) unavailable(c config.Device) error {
	if what, ok := extinct[c.Driver]; ok {
		return mapierr.New(mapierr.NoDriver, "device %s: %s are no longer produced, and their driver %s is not supported", c.Name, what, c.Driver)
	}
	if _, ok := d.Drivers.Live(c.Driver); !ok {
		return mapierr.New(mapierr.NoDriver, "device %s: driver %s is not part of this mapid", c.Name, c.Driver)
	}
	return nil
}

// warnMissing warns of devices on which no flow can be created now. A missing
// permission affects all devices and is logged once. Drivers that this build
// lacks are already logged with the configuration.
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
		d.Log.Warnf("no flow can be created on device %s now: %v", clean(s.Name, maxLogged), err)
	}
}

// discover updates the list of devices to the interfaces that are up, if the
// built-in configuration serves them all. It reports whether it did so.
func (d *daemon) discover() bool {
	specs := d.interfaces()
	if specs == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.auto { // may have changed meanwhile
		d.engine.Discover(specs)
	}
	return d.auto
}

// interfaceSpec is the device of an interface without a configuration entry.
func interfaceSpec(name string) engine.DeviceSpec {
	return engine.DeviceSpec{Name: name, Driver: nicDriver, Description: "network interface", Discovered: true}
}

// seek looks for a device that is not in the list: a new interface or one that
// is down, if the built-in configuration serves them all, or an alternative name
// of a listed device. It returns the name for a second attempt, and whether to
// make one.
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

// interfaces are the devices of the built-in configuration. It returns nil with
// another configuration, or if the interfaces cannot be listed.
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
