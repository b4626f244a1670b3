package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"gomapi/internal/bench/plot"
)

// head begins the report, which is in Markdown.
func head() string {
	return fmt.Sprintf("# Performance\n\n`make bench` made these tables. docs/bench.md says how.\n\n"+
		"Machine: %s, %d processors, %.2f GHz, Linux %s, %s %s.\n", processor(), runtime.NumCPU(), clockRate(), release(), runtime.Version(), runtime.GOARCH)
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

// progress tells who waits what is going on.
func progress(format string, args ...any) { log.Printf(format, args...) }

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

// release is the version of the kernel, without what a distribution adds.
func release() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "unknown"
	}
	version, _, _ := strings.Cut(strings.TrimSpace(string(text)), "-")
	return version
}

// A picture is an SVG beside the report.
type picture struct {
	name string
	svg  []byte
}

// chart keeps a picture and returns what shows it in the report.
func (b *bench) chart(name string, c plot.Chart) string {
	b.pictures = append(b.pictures, picture{name + ".svg", c.SVG()})
	return fmt.Sprintf("\n![%s](%s/%s.svg)\n", c.Title, filepath.Base(b.gallery), name)
}

// writePictures writes them into their folder.
func (b *bench) writePictures() error {
	if len(b.pictures) == 0 {
		return nil
	}
	if err := os.MkdirAll(b.gallery, 0o755); err != nil {
		return err
	}
	for _, p := range b.pictures {
		if err := os.WriteFile(filepath.Join(b.gallery, p.name), p.svg, 0o644); err != nil {
			return err
		}
	}
	return nil
}
