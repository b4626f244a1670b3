package config

import (
	"slices"
	"strings"
)

// Names that the original knows. Such a name causes a warning if this build
// lacks it. Any other name is a mistake.
var (
	knownDrivers = []string{
		"mapinicdrv", "mapidagdrv", "mapinapatechdrv", "mapicombo6drv", "mapienp2611drv", "mapivindrv",
	}
	knownLibraries = []string{
		"stdflib", "extraflib", "trackflib", "anonflib", "ipfixflib", "dagflib", "napatechflib",
	}
	// formats are the formats for [format] sections, with their numbers in the
	// API. MFF_RAW and MFF_COMBO6 are missing: no driver of the original reads
	// them.
	formats = map[string]int{"MFF_PCAP": 0, "MFF_DAG_ERF": 2, "MFF_NAPATECH": 4}
)

// Keys that the code knows, by section.
var (
	globalKeys = []string{
		"libpath", "drvpath", "libs", "dimapi_port", "log_level", "syslog_level", "logfile", "local", "trusted_peers",
	}
	driverKeys = []string{
		"device", "driver", "description", "alias", "link_speed", "mpls", "vlan", "devgroup",
	}
	formatKeys = []string{"format", "driver", "description"}
	// driverParams are the additional keys of [driver], by the driver that
	// reads them.
	driverParams = map[string][]string{
		"mapinicdrv": {
			"ring_mb", "block_kb", "retire_ms", "snap", "promisc", "direction", "vlan_tags", "latency", "tstamp", "netns",
		},
		"mapivindrv": {"trace_dir"},
	}
)

// paramOf returns the driver that reads a key, "" if none does.
func paramOf(key string) string {
	for driver, keys := range driverParams {
		if slices.Contains(keys, key) {
			return driver
		}
	}
	return ""
}

// extraSection reports whether sections with this name belong to other parts,
// which check them.
func extraSection(name string) bool {
	return slices.Contains([]string{"dag", "ipfixflib", "dimapi", "metrics"}, name)
}

// plainName removes the file extension of a driver or library. It maps
// mapinidrv, as the tutorial writes, to mapinicdrv, the original's file name.
func plainName(s string) string {
	s = strings.TrimSuffix(s, ".so")
	if s == "mapinidrv" {
		return "mapinicdrv"
	}
	return s
}
