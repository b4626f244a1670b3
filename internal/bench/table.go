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
	release := string(must(os.ReadFile("/proc/sys/kernel/osrelease")))
	release, _, _ = strings.Cut(strings.TrimSpace(release), "-")
	return fmt.Sprintf("# Performance\n\n`make bench` made these tables. docs/bench.md says how.\n\n"+
		"Machine: %s, %d processors, %.2f GHz, Linux %s, %s %s.\n",
		processor("model name"), runtime.NumCPU(), clockRate(), release, runtime.Version(), runtime.GOARCH)
}

// A table is a section of the report, with charts that are drawn from its rows.
type table struct {
	title   string
	text    string // what was measured
	columns []string
	rows    [][]string
	charts  []chart
}

// newTable has columns that are parted by " | ".
func newTable(title, columns string) *table {
	return &table{title: title, columns: strings.Split(columns, " | ")}
}

// row adds a row. A cell that is a list of strings is several cells.
func (t *table) row(cells ...any) {
	var row []string
	for _, c := range cells {
		if list, ok := c.([]string); ok {
			row = append(row, list...)
		} else {
			row = append(row, fmt.Sprint(c))
		}
	}
	t.rows = append(t.rows, row)
}

// markdown returns the section, and writes its charts to a folder beside the report.
func (t *table) markdown(folder string) string {
	lines := []string{"## " + t.title, "", t.text, "",
		"| " + strings.Join(t.columns, " | ") + " |", "|" + strings.Repeat("---|", len(t.columns))}
	for _, row := range t.rows {
		lines = append(lines, "| "+strings.Join(row, " | ")+" |")
	}
	for _, c := range t.charts {
		check(os.MkdirAll(folder, 0o755))
		check(os.WriteFile(filepath.Join(folder, c.file+".svg"), c.svg(t), 0o644))
		lines = append(lines, "", fmt.Sprintf("![%s](%s/%s.svg)", c.title, filepath.Base(folder), c.file))
	}
	return strings.Join(lines, "\n") + "\n"
}

// figures are what the rounds of a measurement have given.
type figures []float64

// at is the value that a share of the figures does not exceed; 0 when there are none.
func (f figures) at(share float64) float64 {
	if len(f) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(f))[int(share*float64(len(f)-1)+0.5)]
}

func (f figures) median() float64 { return f.at(0.5) }

// tooSlow stands for figures when there are none.
const tooSlow = "too slow"

// middle is the median, with so many digits.
func (f figures) middle(digits int) string {
	if len(f) == 0 {
		return tooSlow
	}
	return fixed(f.median(), digits)
}

// both is the median and the minimum.
func (f figures) both(digits int) string {
	if len(f) == 0 {
		return tooSlow
	}
	return fmt.Sprintf("%.*f (%.*f)", digits, f.median(), digits, f.at(0))
}

// cycles are those of so many nanoseconds.
func (f figures) cycles() string {
	if rate := clockRate(); rate > 0 {
		return fixed(f.median()*rate, 0)
	}
	return "?"
}

// fixed writes a number with so many digits.
func fixed(v float64, digits int) string { return fmt.Sprintf("%.*f", digits, v) }

// mib is bytes in MiB.
func mib(bytes uint64) string { return fixed(float64(bytes)/(1<<20), 1) }

// thousands writes 10000 as 10,000 and small numbers with the digits that they need.
func thousands(v float64) string {
	if v < 1000 {
		return fmt.Sprintf("%.3g", v)
	}
	digits := fixed(v, 0)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
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
