package main

import (
	_ "embed" // the text of the report
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/template"
)

// The report is a template: a section for each part, which gives its rows.
//
//go:embed report.md
var reportText string

// rows are those of a table.
type rows [][]string

// add adds a row. A cell that is a list of strings is several cells.
func (r *rows) add(cells ...any) {
	var row []string
	for _, c := range cells {
		if list, ok := c.([]string); ok {
			row = append(row, list...)
		} else {
			row = append(row, fmt.Sprint(c))
		}
	}
	*r = append(*r, row)
}

func (r rows) String() string {
	var lines []string
	for _, row := range r {
		lines = append(lines, "| "+strings.Join(row, " | ")+" |")
	}
	return strings.Join(lines, "\n")
}

// write returns a section of the report, and writes its charts to a folder beside it.
func (b *bench) write(section string, rows rows) string {
	draw := func(file, title, x, y string, mapid, libpcap, by int) string {
		c := newChart(title, axis{Label: x, from: 100, to: 580},
			axis{Label: y, from: 400, to: 50, percent: strings.HasSuffix(y, "%")}, rows, mapid, libpcap, by)
		check(os.MkdirAll(b.charts, 0o755))
		check(os.WriteFile(filepath.Join(b.charts, file+".svg"), c.svg(), 0o644))
		return fmt.Sprintf("![%s](%s/%s.svg)", title, filepath.Base(b.charts), file)
	}
	t := template.New("").Funcs(template.FuncMap{"chart": draw})
	var text strings.Builder
	check(template.Must(t.Parse(reportText)).ExecuteTemplate(&text, section, map[string]any{
		"machine": machine(), "rows": rows, "packets": b.packets, "rounds": b.rounds,
		"liveRounds": b.liveRounds, "stream": b.stream, "silence": b.silence(),
	}))
	return text.String()
}

func machine() string {
	release := string(must(os.ReadFile("/proc/sys/kernel/osrelease")))
	release, _, _ = strings.Cut(strings.TrimSpace(release), "-")
	return fmt.Sprintf("%s, %d processors, %.2f GHz, Linux %s, %s %s", processor("model name"),
		runtime.NumCPU(), clockRate(), release, runtime.Version(), runtime.GOARCH)
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
