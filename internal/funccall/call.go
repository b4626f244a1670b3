// Package funccall reads and writes calls of functions as text, such as
//
//	SAMPLE(20, PERIODIC), BPF_FILTER("net 10/8") PKT_COUNTER
//
// Calls are separated by commas or blanks. A call is a name, [library:]NAME[!oid], and its
// arguments in parentheses, separated by commas. Arguments at the end that have a default
// may be left out, and so may empty parentheses. An argument is one of these:
//
//   - A number, decimal or with 0x. Names of constants stand for their numbers, and may be
//     added up: PERIODIC, mapi.SamplePeriodic, TYPE_INT+TR_POLL.
//   - A text in double quotes. In it \" stands for " and \\ for \. All other bytes, also a
//     single \, stand for themselves. A text has no NUL.
//   - A time, such as 1.5s or +10s. It is a text that needs no quotes.
//   - A reference to an earlier function, if the caller allows it. @1 is the first one.
package funccall

import (
	"fmt"
	"strings"
)

// A Call is a function with its arguments.
type Call struct {
	Name string // [library:]NAME[!oid]
	Args []Arg
	Pos  int // byte of the text at which the call begins, from 1
}

// An Arg is an argument of a call.
type Arg struct {
	Value any // int64, uint64 if it is larger, string or Ref
	Pos   int // byte of the text at which the argument begins, from 1
}

// A Ref is the number of an earlier function, from 1.
type Ref int

func (r Ref) String() string { return fmt.Sprintf("@%d", int(r)) }

// Values returns the values of the arguments.
func (c *Call) Values() []any {
	values := make([]any, len(c.Args))
	for i, a := range c.Args {
		values[i] = a.Value
	}
	return values
}

// String returns the call as text. Read again, it gives the same call.
func (c *Call) String() string {
	if len(c.Args) == 0 {
		return c.Name
	}
	texts := make([]string, len(c.Args))
	for i, a := range c.Args {
		texts[i] = a.String()
	}
	return c.Name + "(" + strings.Join(texts, ", ") + ")"
}

var quoter = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func (a Arg) String() string {
	if text, ok := a.Value.(string); ok {
		return `"` + quoter.Replace(text) + `"`
	}
	return fmt.Sprint(a.Value)
}
