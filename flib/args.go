package flib

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"gomapi/internal/mapierr"
)

// Kind is the type of an argument: the letter that describes it in the info
// calls.
type Kind byte

// Kinds of arguments.
const (
	Int    Kind = 'i' // int32
	Uint64 Kind = 'l' // uint64
	Char   Kind = 'c' // one byte
	String Kind = 's' // text without NUL
	File   Kind = 'w' // file that the program has opened for writing
	Flow   Kind = 'r' // number of a flow of the same client, int32
	Func   Kind = 'f' // number of a function of the flow before it, int32
	Funcs  Kind = 'S' // functions: "fid@fd, fid@fd"
)

func (k Kind) String() string {
	switch k {
	case Int:
		return "int"
	case Uint64:
		return "uint64"
	case Char:
		return "char"
	case String:
		return "string"
	case File:
		return "file"
	case Flow:
		return "flow"
	case Func:
		return "function"
	case Funcs:
		return "functions"
	}
	return fmt.Sprintf("kind %q", byte(k))
}

// Arg describes one argument of a function.
type Arg struct {
	Name string
	Kind Kind
	Doc  string // meaning, unit and range, for people
	// Min and Max bound an Int when they differ.
	Min, Max int32
	// Default is the value of an argument that was left out, which only the
	// last ones may be; nil: it must be given.
	Default any
}

// An OpenFile is a file argument. The instance owns the file once New has
// returned without error; it writes to it from a goroutine of its own, because
// what a program has opened may block.
type OpenFile struct {
	*os.File
	Path string // as the program wrote it
}

// Range tells the values that an Int may have, empty when Doc tells more.
func (a *Arg) Range() string {
	switch {
	case a.Min == a.Max:
		return ""
	case a.Max == math.MaxInt32:
		return fmt.Sprintf("%d or more", a.Min)
	}
	return fmt.Sprintf("%d to %d", a.Min, a.Max)
}

// DefaultText is the default in words, empty without one.
func (a *Arg) DefaultText() string {
	if a.Default == nil {
		return ""
	}
	return fmt.Sprint(a.Default)
}

// Descr returns the argument letters of d, the argdescr of the info calls.
func (d *Def) Descr() string {
	b := make([]byte, len(d.Args))
	for i, a := range d.Args {
		b[i] = byte(a.Kind)
	}
	return string(b)
}

// Args are the checked arguments of one call: for each Arg of the Def a value
// of its kind.
type Args []any

// Int returns argument i, which the Def declares as Int, Flow or Func.
func (a Args) Int(i int) int32 { return a[i].(int32) }

// Uint64 returns argument i, which the Def declares as Uint64.
func (a Args) Uint64(i int) uint64 { return a[i].(uint64) }

// Char returns argument i, which the Def declares as Char.
func (a Args) Char(i int) byte { return a[i].(byte) }

// String returns argument i, which the Def declares as String.
func (a Args) String(i int) string { return a[i].(string) }

// File returns argument i, which the Def declares as File.
func (a Args) File(i int) OpenFile { return a[i].(OpenFile) }

// Targets returns argument i, which the Def declares as Funcs. There is one at
// least.
func (a Args) Targets(i int) []Target { return a[i].([]Target) }

// Check converts what a client sent (int64, uint64, string or OpenFile values) to the
// kinds that d declares. The error names the argument and its number: 7001 for
// the first and so on.
func (d *Def) Check(raw []any) (Args, error) {
	if len(raw) > len(d.Args) && !d.ExtraArgs {
		return nil, mapierr.New(mapierr.BadArgument(len(d.Args)),
			"%s: %d arguments given, it takes %s", d.Name, len(raw), d.Usage())
	}
	args := make(Args, len(d.Args))
	for i, decl := range d.Args {
		if i >= len(raw) && decl.Default != nil {
			args[i] = decl.Default
			continue
		}
		if i >= len(raw) {
			return nil, mapierr.New(mapierr.BadArgument(i),
				"%s: argument %d (%s) is missing, it takes %s", d.Name, i+1, decl.Name, d.Usage())
		}
		v, err := decl.convert(raw[i])
		if err != nil {
			return nil, mapierr.New(mapierr.BadArgument(i),
				"%s: argument %d (%s): %v", d.Name, i+1, decl.Name, err)
		}
		args[i] = v
	}
	return args, nil
}

// Usage returns the argument list for people: "(expression string)".
func (d *Def) Usage() string {
	if len(d.Args) == 0 {
		return "no arguments"
	}
	s := "("
	for i, a := range d.Args {
		if i > 0 {
			s += ", "
		}
		s += a.Name + " " + a.Kind.String()
		if a.Default != nil {
			s += fmt.Sprintf(" = %v", a.Default)
		}
	}
	return s + ")"
}

func (a *Arg) convert(raw any) (any, error) {
	switch a.Kind {
	case Int, Flow, Func:
		v, ok := integer(raw, math.MinInt32, math.MaxInt32)
		if !ok {
			return nil, a.mismatch(raw)
		}
		if a.Min != a.Max && (v < int64(a.Min) || v > int64(a.Max)) {
			return nil, fmt.Errorf("%d is not in %d..%d", v, a.Min, a.Max)
		}
		return int32(v), nil
	case Uint64:
		if v, ok := raw.(uint64); ok {
			return v, nil
		}
		v, ok := integer(raw, 0, math.MaxInt64)
		if !ok {
			return nil, a.mismatch(raw)
		}
		return uint64(v), nil
	case Char:
		v, ok := integer(raw, 0, math.MaxUint8)
		if !ok {
			return nil, a.mismatch(raw)
		}
		return byte(v), nil
	case String:
		v, ok := raw.(string)
		if !ok {
			return nil, a.mismatch(raw)
		}
		return v, nil
	case Funcs:
		v, ok := raw.(string)
		if !ok {
			return nil, a.mismatch(raw)
		}
		return parseTargets(v)
	case File:
		v, ok := raw.(OpenFile)
		if !ok {
			return nil, a.mismatch(raw)
		}
		return v, nil
	}
	return nil, fmt.Errorf("function declares an unknown %v", a.Kind)
}

func (a *Arg) mismatch(raw any) error {
	return fmt.Errorf("%v (%T) is not a valid %v", raw, raw, a.Kind)
}

// maxTargets bounds a list of functions.
const maxTargets = 256

// parseTargets reads a list of functions: "fid@fd,fid@fd", with blanks after the
// commas or without.
func parseTargets(text string) ([]Target, error) {
	var list []Target
	for entry := range strings.SplitSeq(text, ",") {
		fid, fd, _ := strings.Cut(strings.TrimLeft(entry, " "), "@")
		a, err1 := strconv.ParseInt(fid, 10, 32)
		b, err2 := strconv.ParseInt(fd, 10, 32)
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("%.40q is not a function, want fid@fd", entry)
		}
		if list = append(list, Target{FD: int32(b), FID: int32(a)}); len(list) > maxTargets {
			return nil, fmt.Errorf("more than %d functions", maxTargets)
		}
	}
	return list, nil
}

// integer returns raw as an integer of the given range.
func integer(raw any, lo, hi int64) (int64, bool) {
	switch v := raw.(type) {
	case int64:
		return v, v >= lo && v <= hi
	case uint64:
		return int64(v), v <= uint64(hi)
	}
	return 0, false
}
