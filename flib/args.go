package flib

import (
	"fmt"
	"math"
	"time"

	"gomapi/internal/foreign"
)

// Kind is the type of an argument.
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
	Flows  Kind = 'F' // flows as text: "fd, fd"; its letter is that of String, as in the original
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
	case Flows:
		return "flows"
	}
	return fmt.Sprintf("kind %q", byte(k))
}

// Arg describes one argument of a function.
type Arg struct {
	Name string
	Kind Kind
	Doc  string // meaning, unit and range, for people
	// Min and Max are the limits of an Int. They apply only if they differ.
	Min, Max int32
	// Unit is the unit of an Int that is a time. A text such as "+1.5s" is then accepted
	// if it is a whole number of units. 0: the argument is not a time.
	Unit time.Duration
	// Number says that a String may hold a decimal number. An integer is then accepted
	// too.
	Number bool
	// Default is the value of an omitted argument. Only the last arguments may be
	// omitted. nil: the argument is required.
	Default any
	// Added says that the original's function has no such argument. C programs compiled
	// for the original do not pass it, so it has a Default.
	Added bool
}

// An OpenFile is a file argument. The instance owns the file once New has returned
// without error. A separate goroutine must write to the file, because the program may
// have opened something that blocks; see outfile.File.
type OpenFile struct {
	*foreign.File
	Path string // as the program wrote it
}

// Range describes the valid values of an Int. It is empty if Doc describes them.
func (a *Arg) Range() string {
	switch {
	case a.Min == a.Max:
		return ""
	case a.Max == math.MaxInt32:
		return fmt.Sprintf("%d or more", a.Min)
	}
	return fmt.Sprintf("%d to %d", a.Min, a.Max)
}

// DefaultText returns the default as text, "" without a default.
func (a *Arg) DefaultText() string {
	if a.Default == nil {
		return ""
	}
	return fmt.Sprint(a.Default)
}

// Descr returns the argument letters of d: argdescr in the info calls.
func (d *Def) Descr() string {
	b := make([]byte, len(d.Args))
	for i, a := range d.Args {
		b[i] = a.Kind.letter()
	}
	return string(b)
}

// letter returns the letter for the kind in the info calls.
func (k Kind) letter() byte {
	if k == Flows {
		return byte(String)
	}
	return byte(k)
}

// Args are the checked arguments of one call: one value of the declared kind for each Arg
// of the Def.
type Args []any

// Int returns argument i, which the Def declares as Int, Flow or Func.
func (a Args) Int(i int) int32 { return a[i].(int32) }

// Uint64 returns argument i, which the Def declares as Uint64.
func (a Args) Uint64(i int) uint64 { return a[i].(uint64) }

// Char returns argument i, which the Def declares as Char.
func (a Args) Char(i int) byte { return a[i].(byte) }

// String returns argument i, which the Def declares as String or Flows.
func (a Args) String(i int) string { return a[i].(string) }

// File returns argument i, which the Def declares as File.
func (a Args) File(i int) OpenFile { return a[i].(OpenFile) }

// Targets returns argument i, which the Def declares as Funcs. It has at least one
// element.
func (a Args) Targets(i int) []Target { return a[i].([]Target) }

// Usage returns the argument list for people, for example "(expression string)".
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
