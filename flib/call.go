package flib

import (
	"fmt"

	"gomapi/internal/funccall"
	"gomapi/internal/mapierr"
)

// CheckCall converts the arguments of a call that was written as text, like Check. Arguments
// must have the kind that d declares, none may be too many, and none can be a flow, a function
// or a file, because programs alone have these. The error names the place in the text.
func (d *Def) CheckCall(c *funccall.Call) (Args, error) {
	args, raw := make(Args, len(d.Args)), c.Values()
	if n := len(d.Args); len(raw) > n {
		return nil, fmt.Errorf("byte %d: %w", c.Args[n].Pos, d.surplus(len(raw)))
	}
	for i := range d.Args {
		pos := c.Pos
		if i < len(raw) {
			pos = c.Args[i].Pos
		}
		err := d.writable(i, raw)
		if err == nil {
			err = d.checkOne(args, i, raw)
		}
		if err != nil {
			return nil, fmt.Errorf("byte %d: %w", pos, err)
		}
	}
	return args, nil
}

// writable checks that argument i can be written as text, and is written as what it is.
func (d *Def) writable(i int, raw []any) error {
	a, why := &d.Args[i], ""
	var v any
	if i < len(raw) {
		v = raw[i]
	}
	_, text := v.(string)
	switch a.Kind {
	case Flow, Func, Funcs, Flows, File:
		why = fmt.Sprintf("the text of a call has no %v: only a program can apply the function", a.Kind)
	case String:
		if !text && !a.Number && v != nil {
			why = fmt.Sprintf("%v is not a text: put it in double quotes", v)
		}
	default:
		if text && a.Unit == 0 {
			why = fmt.Sprintf("%.40q is not a number: write a number or the name of a constant", v)
		}
	}
	if why == "" {
		return nil
	}
	return mapierr.New(mapierr.BadArgument(i), "%s: argument %d (%s): %s", d.Name, i+1, a.Name, why)
}
