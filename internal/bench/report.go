package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// head begins the report, which is in Markdown.
func head() string {
	release, _, _ := strings.Cut(strings.TrimSpace(string(must(os.ReadFile("/proc/sys/kernel/osrelease")))), "-")
	return fmt.Sprintf("# Performance\n\n`make bench` made these tables. docs/bench.md says how.\n\n"+
		"Machine: %s, %d processors, %.2f GHz, Linux %s, %s %s.\n",
		processor("model name"), runtime.NumCPU(), clockRate(), release, runtime.Version(), runtime.GOARCH)
}

// section is a part of the report: its title, what was measured, the figures.
func section(title string, t *table, what string, args ...any) string {
	return "## " + title + "\n\n" + fmt.Sprintf(what, args...) + "\n\n" + t.String()
}

// table is a table of the report.
type table struct{ strings.Builder }

func newTable(columns ...string) *table {
	t := &table{}
	t.WriteString("| " + strings.Join(columns, " | ") + " |\n|" + strings.Repeat("---|", len(columns)) + "\n")
	return t
}

func (t *table) row(cells ...any) {
	t.WriteString("|")
	for _, c := range cells {
		fmt.Fprintf(t, " %v |", c)
	}
	t.WriteString("\n")
}

// addChart writes a chart beside the report and returns what shows it there.
func (b *bench) addChart(name string, c chart) string {
	check(os.MkdirAll(b.charts, 0o755))
	check(os.WriteFile(filepath.Join(b.charts, name+".svg"), c.svg(), 0o644))
	return fmt.Sprintf("\n![%s](%s/%s.svg)\n", c.title, filepath.Base(b.charts), name)
}

// samples are what the rounds of a measurement have given.
type samples []float64

// samplesOf takes a figure out of each of several results.
func samplesOf[T any](results []T, figure func(T) float64) (all samples) {
	for _, r := range results {
		all = append(all, figure(r))
	}
	return all
}

// at is the value that a share of the samples does not exceed; 0 when there are none.
func (s samples) at(share float64) float64 {
	if len(s) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(s))[int(share*float64(len(s)-1)+0.5)]
}

func (s samples) median() float64 { return s.at(0.5) }

// both is the median and the minimum, with so many digits; "" when there are none.
func (s samples) both(digits int) string {
	if len(s) == 0 {
		return ""
	}
	return fmt.Sprintf("%.*f (%.*f)", digits, s.median(), digits, s.at(0))
}

// fixed writes a number with so many digits.
func fixed(v float64, digits int) string { return fmt.Sprintf("%.*f", digits, v) }

// mib is bytes in MiB.
func mib(bytes uint64) string { return fixed(float64(bytes)/(1<<20), 1) }

// cycles are those of so many nanoseconds.
func cycles(ns float64) string {
	if rate := clockRate(); rate > 0 {
		return fixed(ns*rate, 0)
	}
	return "?"
}

// clockRate returns the processors' clock rate in GHz, 0 when it is not known. It is
// that of now: processors change it, and virtual ones hide that they do.
func clockRate() float64 {
	var mhz float64
	_, _ = fmt.Sscan(processor("cpu MHz"), &mhz)
	return mhz / 1000
}

// processor returns what /proc/cpuinfo says of the first processor.
func processor(key string) string {
	for line := range strings.Lines(string(must(os.ReadFile("/proc/cpuinfo")))) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
