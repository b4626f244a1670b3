// Package config reads mapi.conf, the configuration of mapid and mapicommd,
// into plain structs.
//
// Load finds the file, checks all of it and returns what is usable together
// with every mistake, each with file and line. A mistake costs its own entry
// and never the daemon: a bad [driver] section is skipped, the others are
// served. Default is what holds without a file. docs/config.md lists every
// key; a test keeps the two equal.
//
// The package knows names, not code: which drivers and libraries exist in this
// build is told by the caller (Known). Nothing here is kept or changed after
// Load; a Config may be read from any goroutine.
package config

import "path/filepath"

// Defaults of keys that are absent.
const (
	DefaultDimapiPort  = 2233
	DefaultLogLevel    = 2
	DefaultDescription = "No description"
	DefaultAlias       = "No alias"
)

// A Config is what mapi.conf says, with defaults in place of what it does not
// say.
type Config struct {
	Path       string   // file that was read; empty for the built-in configuration
	Libs       []string // function libraries in search order, without ".so", all in this build
	DimapiPort int      // TCP port of mapicommd
	LogLevel   int      // 0 information, 1 debug also on stdout, 2 debug in syslog and files only
	LogFile    string   // base name of the log files, beginning at Known.Dir when that is given; empty for none
	Local      bool     // the socket is in the home directory
	Auto       bool     // serve every interface that is up; only without a file
	Devices    []Device // in the order of the file
	Formats    []FormatEntry
	Extra      []Section // sections of other parts, unchecked: dag, ipfixflib, dimapi, metrics, "client NAME"
}

// A Device is one [driver] section.
type Device struct {
	Name        string            // what clients ask for; for interfaces the interface's name
	Driver      string            // "mapinicdrv"; also one that this build lacks
	Description string            // DefaultDescription when absent
	Alias       string            // DefaultAlias when absent
	LinkSpeed   int               // Mbit/s; 0 is unknown
	MPLS, VLAN  bool              // traffic carries such tags; told to programs, nothing else
	Group       int               // served by mapid -g Group; 0 by the mapid without a group
	Params      map[string]string // further keys that the driver reads, also with bad values: it refuses to open then
	Line        int               // of the section's header
}

// A FormatEntry is one [format] section: capture files of this format are read.
type FormatEntry struct {
	Format      int    // number in the API: 0 pcap, 2 ERF, 4 Napatech
	Name        string // "MFF_PCAP"
	Driver      string // "mapinicdrv"; empty when absent
	Description string // DefaultDescription when absent
	Line        int    // of the section's header
}

// A Section is a section as it stands in the file.
type Section struct {
	Name string // empty for the keys before the first section
	Line int    // of the header
	Keys []Key  // in order, without those that have no value
}

// A Key is one line "name=value".
type Key struct {
	Name, Value string
	Line        int
}

// Get returns the value of a key, empty when it is absent.
func (s *Section) Get(name string) string {
	for _, k := range s.Keys {
		if k.Name == name {
			return k.Value
		}
	}
	return ""
}

// Known says which drivers and libraries are part of this build, by the names
// that mapi.conf uses, without ".so", and where it runs.
type Known struct {
	Drivers, Libraries map[string]bool
	// CheckParams says, for a driver, what is wrong with a parameter of a
	// device. A driver without an entry checks when it opens the device.
	CheckParams map[string]func(key, value string) error
	// CheckTogether says, for a driver, what is wrong with parameters of a device that
	// are right one by one, and at which of them.
	CheckTogether map[string]func(params map[string]string) (key string, err error)
	// Find says, for a driver, why a device of that name cannot be opened now. It is
	// nil unless that is to be checked.
	Find map[string]func(name string, params map[string]string) error
	// Sections are the sections of other parts that this build reads.
	Sections map[string]bool
	// Dir is the directory at which relative paths begin, those of the files to
	// read and those in them; empty for the working directory.
	Dir string
}

// path returns a path that may be relative to k.Dir.
func (k *Known) path(p string) string {
	if k.Dir == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(k.Dir, p)
}

// Default returns the configuration that holds without a file: stdflib, pcap
// files, and every interface that is up.
func Default() *Config {
	return &Config{
		Libs:       []string{"stdflib"},
		DimapiPort: DefaultDimapiPort,
		LogLevel:   DefaultLogLevel,
		Auto:       true,
		Formats: []FormatEntry{{
			Format:      formats["MFF_PCAP"],
			Name:        "MFF_PCAP",
			Driver:      "mapinicdrv",
			Description: "Capture files of tcpdump",
		}},
	}
}

// Group returns the devices of group n in file order. Group 0 holds the devices
// without a group.
func (c *Config) Group(n int) []Device {
	var devs []Device
	for _, d := range c.Devices {
		if d.Group == n {
			devs = append(devs, d)
		}
	}
	return devs
}
