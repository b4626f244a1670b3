package config

import (
	"slices"
	"strings"
)

// Names that the original knows. A name in here but not in the build is a
// warning, any other name is a mistake.
var (
	knownDrivers = []string{
		"mapinicdrv", "mapidagdrv", "mapinapatechdrv", "mapicombo6drv", "mapienp2611drv", "mapivindrv",
	}
	knownLibraries = []string{
		"stdflib", "extraflib", "trackflib", "anonflib", "ipfixflib", "dagflib", "napatechflib",
	}
	// formats are the formats that a [format] section can name, with their
	// numbers in the API. MFF_RAW and MFF_COMBO6 have numbers but no name here:
	// no driver of the original reads them.
	formats = map[string]int{"MFF_PCAP": 0, "MFF_DAG_ERF": 2, "MFF_NAPATECH": 4}
)

// Keys that the code knows, by section.
var (
	globalKeys = []string{
		"libpath", "drvpath", "libs", "dimapi_port", "log_level", "syslog_level", "logfile", "local",
	}
	driverKeys = []string{
		"device", "driver", "description", "alias", "link_speed", "mpls", "vlan", "devgroup",
	}
	formatKeys = []string{"format", "driver", "description"}
	// driverParams are the further keys of [driver], by the driver that reads
	// them.
	driverParams = map[string][]string{
		"mapinicdrv": {
			"ring_mb", "block_kb", "retire_ms", "snap", "promisc", "direction", "vlan_tags", "latency", "tstamp", "netns",
		},
		"mapivindrv": {"trace_dir"},
	}
)

// paramOf returns the driver that reads a key, "" when none does.
func paramOf(key string) string {
	for driver, keys := range driverParams {
		if slices.Contains(keys, key) {
			return driver
		}
	}
	return ""
}

// extraSection reports whether sections of this name belong to other parts,
// which check them themselves.
func extraSection(name string) bool {
	if client, ok := strings.CutPrefix(name, "client "); ok {
		return strings.TrimSpace(client) != ""
	}
	return slices.Contains([]string{"dag", "ipfixflib", "dimapi", "metrics"}, name)
}

// plainName removes the file ending of a driver or library. The tutorial writes
// mapinidrv where the original's file is mapinicdrv.
func plainName(s string) string {
	s = strings.TrimSuffix(s, ".so")
	if s == "mapinidrv" {
		return "mapinicdrv"
	}
	return s
}
