// Package testdata finds the real captures that tests measure the project
// against, and what independent tools say about them.
//
// The captures are no part of the project. They lie in ../shared/data beside
// the module's root or where MAPI_TESTDATA points.
package testdata

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Dir returns the folder of the captures. Without one the test fails under
// continuous integration (CI is set) and is skipped elsewhere.
func Dir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("MAPI_TESTDATA")
	if dir == "" {
		dir = filepath.Join(root(t), "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, "expected.tsv")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the captures are missing (set MAPI_TESTDATA): %v", err)
		}
		t.Skipf("needs the captures (set MAPI_TESTDATA): %v", err)
	}
	return dir
}

// root returns the folder of go.mod.
func root(t testing.TB) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the working directory")
		}
		dir = up
	}
}

// A Row is one line of expected.tsv: what an independent tool says of a file.
type Row struct{ File, Kind, Key, Value string }

// Expected returns all rows of expected.tsv but its head line.
func Expected(t testing.TB) []Row {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(Dir(t), "expected.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []Row
	for i, line := range strings.Split(strings.TrimRight(string(b), "\n"), "\n") {
		f := strings.Split(line, "\t")
		if i == 0 || len(f) != 4 {
			continue
		}
		rows = append(rows, Row{f[0], f[1], f[2], f[3]})
	}
	return rows
}
