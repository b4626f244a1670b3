package daemon

import (
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

// addDevices adds the devices of the configuration, in its order.
func (d *daemon) addDevices() {
	for _, c := range d.Config.Devices {
		spec := engine.DeviceSpec{
			Name: c.Name, Driver: c.Driver, Description: c.Description, LinkSpeed: int32(c.LinkSpeed),
			MPLS: c.MPLS, VLAN: c.VLAN, Params: c.Params, Unavailable: d.unavailable(c),
		}
		if c.Alias != config.DefaultAlias {
			spec.Alias = c.Alias
		}
		d.engine.AddDevice(spec)
	}
	d.discover()
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

// discover brings the list of devices up to date with the interfaces that are up,
// when the built-in configuration serves them all. It reports whether it looked.
func (d *daemon) discover() bool {
	if !d.Config.Auto || d.Interfaces == nil {
		return false
	}
	names, err := d.Interfaces()
	if err != nil {
		d.Log.Warnf("list interfaces: %v", err)
		return false
	}
	specs := make([]engine.DeviceSpec, len(names))
	for i, name := range names {
		specs[i] = engine.DeviceSpec{Name: name, Driver: nicDriver, Description: "network interface"}
	}
	d.engine.Discover(specs)
	return true
}
