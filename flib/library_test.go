package flib

import (
	"errors"
	"testing"
)

// A library is closed once, after it is retired and its last instance is gone.
func TestLifeOfALibrary(t *testing.T) {
	closed, failed := 0, 0
	make := func() *Loaded {
		lib := Library{Name: "lib", Functions: []Def{{Name: "A"}}, Close: func() error { closed++; return errors.New("no paper") }}
		return Load(lib, func(error) { failed++ })
	}
	r, first := NewRegistry(), make()
	r.Replace(first)
	f, err := r.Find("A", "1.3")
	if err != nil || f.Library != first || !first.Hold() || !first.Hold() {
		t.Fatalf("%v, %v", f, err)
	}
	second := make()
	r.Replace(first, second)
	r.Replace(second)
	if closed != 0 {
		t.Error("closed while instances run")
	}
	if f, _ := r.Find("lib:A", "1"); f.Library != second {
		t.Error("the older library is still found")
	}
	first.Release()
	if !first.Hold() { // found before it was replaced
		t.Error("not to be held while an instance runs")
	}
	first.Release()
	if first.Release(); closed != 1 || failed != 1 || first.Hold() {
		t.Errorf("closed %d times, failed %d times", closed, failed)
	}
	if r.Replace(); closed != 2 {
		t.Errorf("closed %d times", closed)
	}
}
