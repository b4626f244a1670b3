package main

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestReadmeFigures: what the README says of the cost is what the report has.
func TestReadmeFigures(t *testing.T) {
	readme, report := document(t, "../../README.md"), document(t, "../../docs/performance.md")
	for _, f := range []struct {
		readme             string // begin of the row there
		section, row       string // of the report
		mapid, beside, per int    // columns of the report, from 0
	}{
		{"| one flow that counts |", "Counting in a file", "| PKT_COUNTER |", 2, 3, 4},
		{"| one flow that counts behind a filter |", "Counting in a file", "| BPF_FILTER ", 2, 3, 4},
		{"| 10,000 flows, ", "Many flows of a file", "| 10000 |", 2, 4, 6},
		{"| 10,000 mixed filters, ", "Mixed filters", "| 10000 |", 3, 5, 7},
	} {
		_, section, _ := strings.Cut(report, "## "+f.section+"\n")
		want, got := cells(t, section, f.row), cells(t, readme, f.readme)
		for i, text := range map[int]string{1: nanoseconds(t, want[f.mapid]), 2: nanoseconds(t, want[f.beside]), 3: want[f.per]} {
			if !strings.HasSuffix(" "+got[i], text) {
				t.Errorf("the README has %q for %s, the report %s", got[i], f.readme, text)
			}
		}
	}
	_, section, _ := strings.Cut(report, "## Many flows of a file\n")
	if one := nanoseconds(t, cells(t, section, "| 1 |")[2]); !strings.Contains(readme, "("+strings.TrimPrefix(one, " ")+")") {
		t.Errorf("the README does not have %s for one flow", one)
	}
}

func document(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// cells are those of the first row of a table that begins so.
func cells(t *testing.T, text, begin string) []string {
	t.Helper()
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, begin) {
			list := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			for i := range list {
				list[i] = strings.TrimSpace(list[i])
			}
			return list
		}
	}
	t.Fatalf("no row %q", begin)
	return nil
}

// nanoseconds rounds what the report has, "85.9 (85.0)", as the README has it.
func nanoseconds(t *testing.T, median string) string {
	t.Helper()
	ns, err := strconv.ParseFloat(strings.Fields(median)[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	digits := strconv.FormatFloat(ns, 'f', 0, 64)
	if n := len(digits); n > 3 {
		digits = digits[:n-3] + "," + digits[n-3:]
	}
	return " " + digits + " ns"
}
