package main

import (
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// checked returns the type-checked layout.go of a folder of internal.
func checked(t *testing.T, folder string) *types.Package {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, filepath.Join("../../internal", folder, "layout.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	pkg, err := conf.Check(folder, fset, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// number returns a constant of a package, or the offset of a field, such as "head.want".
func number(t *testing.T, pkg *types.Package, name string) int64 {
	t.Helper()
	name, field, isField := strings.Cut(name, ".")
	object := pkg.Scope().Lookup(name)
	if !isField {
		n, _ := constant.Int64Val(object.(*types.Const).Val())
		return n
	}
	s := object.Type().Underlying().(*types.Struct)
	var fields []*types.Var
	at := -1
	for f := range s.Fields() {
		if f.Name() == field {
			at = len(fields)
		}
		fields = append(fields, f)
	}
	if at < 0 {
		t.Fatalf("%s has no %s", name, field)
	}
	return types.SizesFor("gc", "amd64").Offsetsof(fields)[at]
}

// TestLayoutIsTheDaemons compares lib/layout.h with the layout that the daemon uses.
func TestLayoutIsTheDaemons(t *testing.T) {
	results, rings := checked(t, "shm"), checked(t, "ring")
	for name, want := range map[string]int64{
		"FLOW_STATUS":    number(t, results, "flowStatus"),
		"SLOT_SEQ":       number(t, results, "slotSeq"),
		"SLOT_RESULT":    number(t, results, "slotResult"),
		"MEMORY_MAGIC":   number(t, results, "magicOffset"),
		"HEAD_MAGIC":     number(t, rings, "head.magic"),
		"HEAD_ENTRY":     number(t, rings, "head.entry"),
		"HEAD_POSITION":  number(t, rings, "head.position"),
		"HEAD_STATE":     number(t, rings, "head.state"),
		"HEAD_WANT":      number(t, rings, "head.want"),
		"HEAD_SIZE":      number(t, rings, "headSize"),
		"STATE_OPEN":     number(t, rings, "stateOpen"),
		"STATE_ENDED":    number(t, rings, "stateEnded"),
		"STATE_CLOSED":   number(t, rings, "stateClosed"),
		"PAGE_READ":      number(t, rings, "page.read"),
		"PAGE_SLEEP":     number(t, rings, "page.sleep"),
		"HEAD_FULL":      number(t, rings, "head.counts") + number(t, rings, "tally.full"),
		"HEAD_TOO_LARGE": number(t, rings, "head.counts") + number(t, rings, "tally.tooLarge"),
		"OF_RECORDS":     number(t, rings, "ofRecords"),
		"RECORD_TS":      number(t, rings, "recordTS"),
		"RECORD_KIND":    number(t, rings, "recordIfIndex"),
		"RECORD_CAP":     number(t, rings, "recordCap"),
		"RECORD_DATA":    number(t, rings, "recordData"),
		"RECORD_ALIGN":   number(t, rings, "align"),
		"RECORD_SKIP":    number(t, rings, "skip"),
	} {
		if got := inHeader(t, name); got != want {
			t.Errorf("%s is %d, but the daemon has %d", name, got, want)
		}
	}
}

// inHeader returns a number of lib/layout.h.
func inHeader(t *testing.T, name string) int64 {
	t.Helper()
	m := regexp.MustCompile(`\b` + name + `(?: = | )(\w+?)u?\b`).FindStringSubmatch(source(t, "../lib/layout.h"))
	if m == nil {
		t.Fatalf("no %s in layout.h", name)
	}
	n, err := strconv.ParseInt(m[1], 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
