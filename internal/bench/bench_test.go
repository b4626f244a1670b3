package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gomapi/internal/testnet"
)

// small is a benchmark that takes moments, on a capture file of so many packets.
func small(t *testing.T, packets int) *bench {
	t.Helper()
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	b := &bench{
		bin: filepath.Join(dir, "mapid"), dir: dir, trace: writeTrace(t, packets), traceLen: packets,
		rounds: 1, longRounds: 1, sizes: []int{64}, burst: 5 * time.Millisecond, stamped: 50, silence: 10 * time.Millisecond,
		idleFlows: crowd{2, 3}, waiting: 3, crowds: []crowd{{1, 10}, {5, 2}},
		paper: paper{
			flows: []int{1, 20}, searches: []int{25}, samplers: []int{2}, searchers: []int{3}, mostPrograms: 20,
			rates: []float64{20}, teamRates: []float64{50}, streamLength: 50 * time.Millisecond,
			mixedFilters: 50, audience: 5, churn: 50, changeLength: 50 * time.Millisecond, limit: time.Minute,
		},
	}
	if out, err := exec.Command("go", "build", "-o", b.bin, "gomapi/cmd/mapid").CombinedOutput(); err != nil {
		t.Fatalf("build mapid: %v\n%s", err, out)
	}
	if err := b.buildPrograms(); err != nil {
		t.Fatal(err)
	}
	return b
}

// hasRows looks for rows in a report.
func hasRows(t *testing.T, sections []string, rows ...string) {
	t.Helper()
	report := strings.Join(sections, "\n")
	for _, want := range rows {
		if !strings.Contains(report, want) {
			t.Errorf("the report has no row %q", want)
		}
	}
	if t.Failed() {
		t.Log(report)
	}
}

// TestLive runs every part on an interface for a moment: each compares its
// counts itself.
func TestLive(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {}) // skips without root
	sections, err := small(t, 6000).live(t.Context(), t)
	if err != nil {
		t.Fatal(err)
	}
	hasRows(t, sections, "| 64 | 100 % |", "| 64 | flood |", "| low |", "| efficient |", "| the clients |", "| 5 | 2 |",
		"| 20 |", "| 5 | mapid |", "| 5 | libpcap |", "| 2 | 50 |", "| 3 | 50 |", "| 50 | ", "| close |")
}

// TestTrials runs the parts with many flows on a small capture file.
func TestTrials(t *testing.T) {
	b := small(t, 6000)
	b.only = "ports,mixed,strings"
	sections, err := b.measure(t.Context(), b.fileParts())
	if err != nil {
		t.Fatal(err)
	}
	hasRows(t, sections, "| 1 | ", "| 20 | ", "| 50 | ", "| 25 | ")
	if len(b.pictures) != 2 {
		t.Errorf("%d pictures, want 2", len(b.pictures))
	}
}

// TestSlow has a measurement that takes too long: the report says so.
func TestSlow(t *testing.T) {
	b := small(t, 500)
	b.limit = time.Nanosecond
	b.only = "ports"
	sections, err := b.measure(t.Context(), b.fileParts())
	if err != nil {
		t.Fatal(err)
	}
	hasRows(t, sections, "| too slow: over")
}

func TestUnknownPart(t *testing.T) {
	b := &bench{only: "file,live"}
	if err := b.checkParts(); err == nil || !strings.Contains(err.Error(), `"live"`) {
		t.Errorf("error %v", err)
	}
	b.only = "file,churn"
	if err := b.checkParts(); err != nil {
		t.Error(err)
	}
}
