// Package config reads mapi.conf, the configuration of mapid and mapicommd,
// into plain structs.
//
// Load finds the file, checks all of it and returns the valid part together
// with all problems, each with file and line. A mistake invalidates its own
// entry only, never the rest: for example, Load skips a bad [driver] section
// and keeps the others. Default is the configuration without a file.
// docs/config.md lists every key; a test compares it with the code.
//
// The package handles names only. The caller says which drivers and libraries
// this build contains (Known). Nothing changes after Load, so any goroutine may
// read a Config.
package config

import (
	"path/filepath"

	"gomapi/internal/policy"
)

// Defaults of keys that are absent.
const (
	DefaultDimapiPort  = 2233
	DefaultLogLevel    = 2
	DefaultDescription = "No description"
	DefaultAlias       = "No alias"
)

// A Config is the content of mapi.conf, with defaults for absent keys.
type Config struct {
	Path       string   // file that was read; empty for the built-in configuration
	Libs       []string // function libraries in search order, without ".so"; this build has them all
	DimapiPort int      // TCP port of mapicommd
	LogLevel   int      // 0 information, 1 debug also on stdout, 2 debug in syslog and files only
	LogFile    string   // base name of the log files, relative to Known.Dir if that is set; empty: no log files
	Local      bool     // the socket is in the home directory
	Auto       bool     // serve every interface that is up; only without a file
	Devices    []Device // in the order of the file
	Formats    []FormatEntry
	// Limits are the keys of [limits]: how much of each kind the users may have.
	// Kinds that are absent have the limits of the machine.
	Limits map[LimitKey]int64
	// TrustedPeers are the users whose programs may act for others, by name or
	// number.
	TrustedPeers []string
	Access       []policy.Section // who may do what: [user], [group] and [client], in the order of the file
	Extra        []Section        // unchecked sections of other parts: dag, ipfixflib, dimapi, metrics
}

// A Device is one [driver] section.
type Device struct {
	Name        string            // the name for clients; for an interface its name
	Driver      string            // "mapinicdrv", for instance; this build may lack it
	Description string            // DefaultDescription if absent
	Alias       string            // DefaultAlias if absent
	LinkSpeed   int               // Mbit/s; 0: unknown
	MPLS, VLAN  bool              // the traffic has such tags; information for programs only
	Group       int               // served by mapid -g Group; 0: by the mapid without a group
	Params      map[string]string // other keys that the driver reads; with an invalid value the driver fails to open the device
	Line        int               // of the section's header
}

// A FormatEntry is one [format] section. The daemon reads capture files of this
// format.
type FormatEntry struct {
	Format      int    // number in the API: 0 pcap, 2 ERF, 4 Napatech
	Name        string // "MFF_PCAP"
	Driver      string // "mapinicdrv"; empty if absent
	Description string // DefaultDescription if absent
	Line        int    // of the section's header
}

// A Section is a section of the file, unprocessed.
type Section struct {
	Name string // empty for the keys before the first section
	Line int    // of the header
	Keys []Key  // in order, without keys that have no value
	Bad  bool   // has an error

	Empty  []Key // keys that have no value, in order
	Broken int   // first line that could not be read, 0: none
}

// A Key is one line "name=value".
type Key struct {
	Name, Value string
	Line        int
}

// Get returns the value of a key, empty if the key is absent.
func (s *Section) Get(name string) string {
	for _, k := range s.Keys {
		if k.Name == name {
			return k.Value
		}
	}
	return ""
}

// Known lists the drivers and libraries of this build, by their names in
// mapi.conf without ".so", and describes the environment.
type Known struct {
	Drivers   map[string]bool
	Libraries []string // in search order
	// LibraryKeys has, by library, the keys of its section. The function says what is wrong
	// with a value.
	LibraryKeys map[string]map[string]func(value string) error
	// CheckParams has, by driver, a function that checks one parameter of a
	// device. A driver without an entry checks parameters when it opens the
	// device.
	CheckParams map[string]func(key, value string) error
	// CheckTogether has, by driver, a function that checks whether valid
	// parameters of a device are consistent. It returns the key at fault.
	CheckTogether map[string]func(params map[string]string) (key string, err error)
	// Find has, by driver, a function that returns why a device cannot be
	// opened now. It is nil if this is not to be checked.
	Find map[string]func(name string, params map[string]string) error
	// User and Group return the number of a user or group, given by name or number.
	User, Group func(name string) (uint32, error)
	// Sections are the sections of other parts that this build reads.
	Sections map[string]bool
	// Dir is the base of relative paths: of configuration files and of paths in
	// them. Empty means the working directory.
	Dir string
}

// path resolves a path relative to k.Dir.
func (k *Known) path(p string) string {
	if k.Dir == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(k.Dir, p)
}

// Settings returns the keys of the section of a library, and its line; 0 if there is no
// section. bad is set if the section has an error; the settings are then without it.
func (c *Config) Settings(library string) (settings map[string]string, line int, bad bool) {
	settings = make(map[string]string)
	for i := range c.Extra {
		if s := &c.Extra[i]; s.Name == library {
			for _, k := range s.Keys {
				settings[k.Name] = k.Value
			}
			return settings, s.Line, s.Bad
		}
	}
	return settings, 0, false
}

// Default returns the configuration without a file: stdflib, pcap files, and
// every interface that is up.
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
