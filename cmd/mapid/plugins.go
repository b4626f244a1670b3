package main

import (
	"errors"
	"os"

	"gomapi/drivers"
	"gomapi/drivers/nic"
	"gomapi/drivers/offline"
	"gomapi/flib"
	"gomapi/flib/stdflib"
	"gomapi/internal/config"
	"gomapi/internal/principal"
)

// liveDrivers are the live drivers of this build, by their names in mapi.conf.
func liveDrivers() map[string]drivers.Driver {
	return map[string]drivers.Driver{
		"mapinicdrv": nic.Driver{},
	}
}

// fileDrivers are the capture file formats that this build reads.
func fileDrivers() map[drivers.Format]drivers.FileDriver {
	return map[drivers.Format]drivers.FileDriver{
		drivers.FormatPCAP: offline.Driver{},
	}
}

// builders make the function libraries of this build, in search order.
func builders() []flib.Builder {
	return []flib.Builder{
		{Name: "stdflib", New: func(map[string]string) (flib.Library, error) { return stdflib.Library(), nil }},
	}
}

// known tells the configuration package what this build supports.
func known() config.Known {
	k := config.Known{
		Drivers:       map[string]bool{},
		LibraryKeys:   map[string]map[string]func(string) error{},
		CheckParams:   map[string]func(key, value string) error{"mapinicdrv": nic.CheckParam},
		CheckTogether: map[string]func(params map[string]string) (string, error){"mapinicdrv": nic.CheckParams},
		User:          principal.User,
		Group:         principal.Group,
	}
	for name := range liveDrivers() {
		k.Drivers[name] = true
	}
	for _, b := range builders() {
		k.Libraries = append(k.Libraries, b.Name)
		k.LibraryKeys[b.Name] = b.Keys
	}
	return k
}

// finders explain why a device cannot be opened now, for each driver that can
// tell. They ignore missing permissions, which are not a mistake in the
// configuration.
func finders() map[string]func(name string, params map[string]string) error {
	all := make(map[string]func(string, map[string]string) error)
	for name, d := range liveDrivers() {
		if finder, ok := d.(drivers.Finder); ok {
			all[name] = func(device string, params map[string]string) error {
				err := finder.Find(drivers.Config{Device: device, Params: params})
				if errors.Is(err, os.ErrPermission) {
					return nil
				}
				return err
			}
		}
	}
	return all
}

// driverRegistry holds all live drivers and the drivers of the configured file
// formats. A format without a [format] section is not served.
func driverRegistry(formats []config.FormatEntry) *drivers.Registry {
	var r drivers.Registry
	for name, d := range liveDrivers() {
		r.Add(name, d)
	}
	files := fileDrivers()
	for _, f := range formats {
		if d, ok := files[drivers.Format(f.Format)]; ok {
			r.AddFormat(drivers.Format(f.Format), d)
		}
	}
	return &r
}
