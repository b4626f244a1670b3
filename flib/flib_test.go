package flib

import (
	"math"
	"strings"
	"testing"
	"time"

	"gomapi/internal/mapierr"
)

func TestFindTakesTheMostSpecificFunction(t *testing.T) {
	r := NewRegistry(
		Library{Name: "one", Functions: []Def{{Name: "F"}, {Name: "G"}}},
		Library{Name: "two", Functions: []Def{{Name: "F", DevType: "1.1.1"}, {Name: "G"}, {Name: "H", DevType: "1.10"}}},
	)
	for _, c := range []struct {
		name, devType string
		lib, typ      string // empty lib: not found
	}{
		{"F", "1.3", "one", "1"},
		{"F", "1.1.1", "two", "1.1.1"},
		{"F", "1.1", "one", "1"},
		{"G", "1.1.1", "one", "1"},
		{"two:G", "1.1.1", "two", "1"},
		{"two:F", "1.3", "", ""},
		{"one:F", "1.1.1", "one", "1"},
		{"F!1.1.1", "1.1.1", "two", "1.1.1"},
		{"F!1.1", "1.1.1", "two", "1.1.1"},
		{"G!1.1", "1.1.1", "", ""},
		{"G!1", "1.1.1", "one", "1"},
		{"F!1.3", "1.1.1", "", ""},
		{"H", "1.10", "two", "1.10"},
		{"H", "1.1", "", ""},
		{"f", "1.3", "", ""},
		{"", "1.3", "", ""},
		{"nolib:F", "1.3", "", ""},
	} {
		got, err := r.Find(c.name, c.devType)
		if c.lib == "" {
			if mapierr.CodeOf(err, 0) != mapierr.FunctionNotFound {
				t.Errorf("Find(%q, %s) gives %v, want error 6144", c.name, c.devType, err)
			}
			continue
		}
		if err != nil || got.Library.Name != c.lib || got.Type() != c.typ {
			t.Errorf("Find(%q, %s) gives %s %v, %v, want %s %s", c.name, c.devType, got.Library.Name, got.Def, err, c.lib, c.typ)
		}
	}
}

// TestForms: each device type on the way to the root is tried once, with the first library.
func TestForms(t *testing.T) {
	r := NewRegistry(
		Library{Name: "one", Functions: []Def{{Name: "F"}, {Name: "F", DevType: "1.1"}}},
		Library{Name: "two", Functions: []Def{{Name: "F", DevType: "1.1.1"}, {Name: "F"}}},
	)
	for _, c := range []struct{ name, devType, want string }{
		{"F", "1.1.1", "two 1.1.1, one 1.1, one 1"},
		{"F", "1.3", "one 1"},
		{"two:F", "1.1.1", "two 1.1.1, two 1"},
		{"F!1", "1.1.1", "two 1.1.1"},
		{"F!1.1", "1.1.2", "one 1.1"},
		{"G", "1.1.1", ""},
		{"F!1.3", "1.1.1", ""},
	} {
		forms, err := r.Hold(c.name, c.devType)
		Release(forms)
		var got []string
		for _, f := range forms {
			got = append(got, f.Library.Name+" "+f.Type())
		}
		if s := strings.Join(got, ", "); s != c.want || (c.want == "") != (mapierr.CodeOf(err, 0) == mapierr.FunctionNotFound) {
			t.Errorf("Hold(%q, %s) gives %q, %v, want %q", c.name, c.devType, s, err, c.want)
		}
	}
}

func TestCheckConvertsArguments(t *testing.T) {
	d := Def{Name: "F", Args: []Arg{
		{Name: "number", Kind: Int, Min: -1, Max: 10},
		{Name: "any", Kind: Int},
		{Name: "wide", Kind: Uint64},
		{Name: "letter", Kind: Char},
		{Name: "text", Kind: String},
	}}
	if got := d.Descr(); got != "iilcs" {
		t.Errorf("Descr is %q", got)
	}
	good := []any{int64(10), int64(math.MinInt32), uint64(math.MaxUint64), int64(255), "x"}
	args, err := d.Check(good)
	if err != nil {
		t.Fatal(err)
	}
	if args.Int(0) != 10 || args.Int(1) != math.MinInt32 || args.Uint64(2) != math.MaxUint64 || args.Char(3) != 255 || args.String(4) != "x" {
		t.Errorf("arguments are %v", args)
	}
	for i, bad := range [][]any{
		{int64(11), int64(-2), "10", uint64(1 << 40), nil},
		{int64(math.MaxInt32 + 1), int64(math.MinInt32 - 1), uint64(math.MaxUint64), 1.5},
		{int64(-1), "1"},
		{int64(256), int64(-1), "x"},
		{int64(1), uint64(1)},
	} {
		for _, v := range bad {
			wrong := append([]any(nil), good...)
			wrong[i] = v
			if _, err := d.Check(wrong); mapierr.CodeOf(err, 0) != mapierr.BadArgument(i) {
				t.Errorf("argument %d as %v (%T): %v, want error %d", i+1, v, v, err, mapierr.BadArgument(i))
			}
		}
	}
}

func TestCheckCountsArguments(t *testing.T) {
	d := Def{Name: "F", Args: make([]Arg, 7)}
	for i := range d.Args {
		d.Args[i] = Arg{Name: "a", Kind: Int}
	}
	raw := make([]any, 8)
	for i := range raw {
		raw[i] = int64(0)
	}
	for n, want := range []mapierr.Code{7001, 7002, 7003, 7004, 7005, 7011, 7000} {
		if _, err := d.Check(raw[:n]); mapierr.CodeOf(err, 0) != want {
			t.Errorf("%d of 7 arguments: %v, want error %d", n, err, want)
		}
	}
	if _, err := d.Check(raw[:7]); err != nil {
		t.Errorf("7 of 7 arguments: %v", err)
	}
	if _, err := d.Check(raw); mapierr.CodeOf(err, 0) != 7000 {
		t.Errorf("8 of 7 arguments: %v, want error 7000", err)
	}
	d.ExtraArgs = true
	if _, err := d.Check(raw); err != nil {
		t.Errorf("8 of 7 arguments where more are ignored: %v", err)
	}
}

// TestTimesAndNumbers: an Int with a unit accepts times, a String with Number accepts
// integers, and no other argument does.
func TestTimesAndNumbers(t *testing.T) {
	d := Def{Name: "F", Args: []Arg{
		{Name: "micros", Kind: Int, Max: 2_000_000, Unit: time.Microsecond},
		{Name: "interval", Kind: String, Number: true},
		{Name: "count", Kind: Int},
		{Name: "text", Kind: String},
	}}
	good := []any{"+1.500000000s", int64(-1), int64(1), "x"}
	for i, c := range []struct {
		raw, want any // nil: refused
	}{
		{"+1.500000000s", int32(1_500_000)}, {int64(7), int32(7)}, {"0s", int32(0)}, {"2ms", int32(2000)},
		{"1.5us", nil}, {"3s", nil}, {"-1us", nil}, {"5", nil}, {"soon", nil}, {"", nil},
	} {
		wantArgument(t, &d, good, 0, i, c.raw, c.want)
	}
	for i, c := range []struct{ raw, want any }{
		{int64(-1), "-1"}, {uint64(math.MaxUint64), "18446744073709551615"}, {"5s", "5s"}, {nil, nil}, {OpenFile{}, nil},
	} {
		wantArgument(t, &d, good, 1, i, c.raw, c.want)
	}
	wantArgument(t, &d, good, 2, 0, "+1s", nil)
	wantArgument(t, &d, good, 3, 0, int64(80), nil)
}

// wantArgument checks the conversion of raw as argument n.
func wantArgument(t *testing.T, d *Def, good []any, i, n int, raw, want any) {
	t.Helper()
	given := append([]any(nil), good...)
	given[i] = raw
	args, err := d.Check(given)
	if want == nil {
		if mapierr.CodeOf(err, 0) != mapierr.BadArgument(i) {
			t.Errorf("%d: argument %d as %v: %v, want error %d", n, i+1, raw, err, mapierr.BadArgument(i))
		}
		return
	}
	if err != nil || args[i] != want {
		t.Errorf("%d: argument %d as %v is %v, %v, want %v", n, i+1, raw, args, err, want)
	}
}
