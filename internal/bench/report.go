package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"gomapi/internal/tracegen"
)

// format makes the report, in Markdown.
func format(rows []*row, rounds int) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "# Performance\n\n")
	fmt.Fprintf(&b, "`make bench` made this table. docs/bench.md says how, and what is in the file.\n\n")
	fmt.Fprintf(&b, "Machine: %s, %d processors, %s %s.\n", processor(), runtime.NumCPU(), runtime.Version(), runtime.GOARCH)
	fmt.Fprintf(&b, "File: %d packets, in the page cache, one pass. ", tracegen.BenchPackets)
	fmt.Fprintf(&b, "CPU time in nanoseconds per packet of the file, median (minimum) of %d rounds;\n", rounds)
	fmt.Fprintf(&b, "of mapid from start to end of the file, of tcpdump of the whole process.\n\n")
	fmt.Fprintf(&b, "| functions of the flow | packets | mapid | tcpdump --count | mapid / tcpdump | target |\n")
	fmt.Fprintf(&b, "|---|---|---|---|---|---|\n")
	for _, r := range rows {
		leastM, m := perPacket(r.mapid)
		leastT, t := perPacket(r.tcpdump)
		fmt.Fprintf(&b, "| %s | %d | %.1f (%.1f) | %.1f (%.1f) | %.2f | %.0f |\n",
			r.what, r.packets, m, leastM, t, leastT, m/t, r.target)
	}
	return b.String(), nil
}

// processor names the CPU.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(info)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.Trim(name, " \t:\n")
		}
	}
	return "unknown processor"
}
