package mapitest

import (
	"math"

	"gomapi/drivers"
	"gomapi/drivers/fake"
	"gomapi/internal/config"
	"gomapi/internal/mapierr"
)

// Names of drivers as seen by programs.
const (
	liveDriver   = "mapinicdrv"
	absentDriver = "mapidagdrv"
)

const ethernet = 1 // DLT_EN10MB

// A DeviceSpec describes a device, like a [driver] section of mapi.conf.
type DeviceSpec struct {
	Name        string // the name for CreateFlow
	Alias       string // another name; may be empty
	Description string // may be empty
	LinkSpeed   int    // Mbit/s; 0: unknown
	MPLS, VLAN  bool   // information for programs only

	// LinkType is the DLT number of the device's packets; 0 means Ethernet.
	LinkType int
	// Unavailable makes a device that is listed, but for which this daemon has
	// no driver: CreateFlow returns 3200. For a missing interface (1026), see
	// Device.Remove.
	Unavailable bool
}

func (s *DeviceSpec) linkType() uint16 {
	if s.LinkType == 0 {
		return ethernet
	}
	return uint16(s.LinkType)
}

// check rejects specs that the daemon could not distinguish or would change.
func check(specs []DeviceSpec) error {
	names := make(map[string]bool)
	for _, s := range specs {
		switch {
		case s.Name == "":
			return mapierr.New(mapierr.DeviceInfo, "a device has no name: set DeviceSpec.Name")
		case names[s.Name] || names[s.Alias]:
			return mapierr.New(mapierr.DeviceInfo, "device %q: its name or alias %q is already used by another device", s.Name, s.Alias)
		case s.LinkType < 0 || s.LinkType > math.MaxUint16:
			return mapierr.New(mapierr.DeviceInfo, "device %q: link type %d is not a DLT number from 1 to 65535", s.Name, s.LinkType)
		case s.LinkSpeed < 0 || s.LinkSpeed > math.MaxInt32:
			return mapierr.New(mapierr.DeviceInfo, "device %q: link speed %d is outside the range 0 to %d Mbit/s", s.Name, s.LinkSpeed, math.MaxInt32)
		}
		names[s.Name] = true
		if s.Alias != "" {
			names[s.Alias] = true
		}
	}
	return nil
}

// configuration is the equivalent of mapi.conf.
func configuration(specs []DeviceSpec) *config.Config {
	c := config.Default()
	c.Auto = false
	for _, s := range specs {
		dev := config.Device{
			Name: s.Name, Driver: liveDriver, Alias: config.DefaultAlias, Description: config.DefaultDescription,
			LinkSpeed: s.LinkSpeed, MPLS: s.MPLS, VLAN: s.VLAN,
		}
		if s.Alias != "" {
			dev.Alias = s.Alias
		}
		if s.Description != "" {
			dev.Description = s.Description
		}
		if s.Unavailable {
			dev.Driver = absentDriver
		}
		c.Devices = append(c.Devices, dev)
	}
	return c
}

// addDevices adds the devices and returns their driver.
func (d *Daemon) addDevices(specs []DeviceSpec) drivers.Driver {
	drv := &fake.Driver{}
	for _, s := range specs {
		info := drivers.Info{DevType: drivers.TypeNIC, LinkType: s.linkType(), Snap: drivers.MaxSnap, HostClock: true}
		d.devices[s.Name] = &Device{daemon: d, name: s.Name, linkType: s.linkType(), source: drv.Add(s.Name, info)}
	}
	return drv
}
