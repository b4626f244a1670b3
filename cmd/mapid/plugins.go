package main

import (
	"gomapi/drivers"
	"gomapi/drivers/nic"
	"gomapi/drivers/offline"
	"gomapi/flib"
	"gomapi/flib/stdflib"
	"gomapi/internal/config"
)

// liveDrivers are the drivers of this build by the names of mapi.conf.
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

// libraries are the function libraries of this build.
func libraries() []flib.Library {
	return []flib.Library{
		stdflib.Library(),
	}
}

// known tells the configuration what this build has.
func known() config.Known {
	k := config.Known{
		Drivers:     map[string]bool{},
		Libraries:   map[string]bool{},
		CheckParams: map[string]func(key, value string) error{"mapinicdrv": nic.CheckParam},
	}
	for name := range liveDrivers() {
		k.Drivers[name] = true
	}
	for _, lib := range libraries() {
		k.Libraries[lib.Name] = true
	}
	return k
}

// driverRegistry holds all drivers and the file formats that the configuration
// names. A format without a [format] section is not served.
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

// functionRegistry holds the named libraries in the order of names.
func functionRegistry(names []string) *flib.Registry {
	var libs []flib.Library
	for _, name := range names {
		for _, lib := range libraries() {
			if lib.Name == name {
				libs = append(libs, lib)
			}
		}
	}
	return flib.NewRegistry(libs...)
}
