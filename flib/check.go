package flib

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"gomapi/internal/mapierr"
)

// Check converts the values that a client sent (int64, uint64, string or OpenFile) to the
// kinds that d declares. The error names the first wrong argument and carries its number:
// 7001 for the first argument and so on. Lists of functions are checked last, as in the
// original.
func (d *Def) Check(raw []any) (Args, error) {
	if len(raw) > len(d.Args) && !d.ExtraArgs {
		return nil, d.surplus(len(raw))
	}
	args := make(Args, len(d.Args))
	for _, lists := range []bool{false, true} {
		for i := range d.Args {
			if (d.Args[i].Kind == Funcs) != lists {
				continue
			}
			if err := d.checkOne(args, i, raw); err != nil {
				return nil, err
			}
		}
	}
	return args, nil
}

// surplus is the error for too many arguments.
func (d *Def) surplus(given int) error {
	return mapierr.New(mapierr.BadArgument(len(d.Args)),
		"%s: %d arguments given, the function takes %s", d.Name, given, d.Usage())
}

// checkOne converts argument i.
func (d *Def) checkOne(args Args, i int, raw []any) (err error) {
	decl := &d.Args[i]
	switch {
	case i < len(raw):
		if args[i], err = decl.convert(raw[i]); err != nil {
			return mapierr.New(mapierr.BadArgument(i), "%s: argument %d (%s): %v", d.Name, i+1, decl.Name, err)
		}
	case decl.Default == nil:
		return mapierr.New(mapierr.BadArgument(i),
			"%s: argument %d (%s) is missing, the function takes %s", d.Name, i+1, decl.Name, d.Usage())
	default:
		args[i] = decl.Default
	}
	return nil
}

func (a *Arg) convert(raw any) (any, error) {
	switch a.Kind {
	case Int, Flow, Func:
		raw, err := a.inUnits(raw)
		if err != nil {
			return nil, err
		}
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
	case String, Flows:
		switch v := raw.(type) {
		case string:
			return v, nil
		case int64, uint64:
			if a.Number {
				return fmt.Sprint(v), nil
			}
		}
		return nil, a.mismatch(raw)
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
	return nil, fmt.Errorf("the function declares an unknown %v", a.Kind)
}

// inUnits converts the text of a time to a number if the argument is a time. It returns
// any other value unchanged.
func (a *Arg) inUnits(raw any) (any, error) {
	text, ok := raw.(string)
	if !ok || a.Unit == 0 {
		return raw, nil
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%.40q is not a time: use a number, or a number with s, ms, us or ns", text)
	case d%a.Unit != 0:
		return nil, fmt.Errorf("%v is not a whole number of its unit, %v", d, a.Unit)
	}
	return int64(d / a.Unit), nil
}

func (a *Arg) mismatch(raw any) error {
	return fmt.Errorf("%v (%T) is not a valid %v", raw, raw, a.Kind)
}

// maxTargets is the maximum length of a list of functions.
const maxTargets = 256

// parseTargets parses a list of functions: "fid@fd,fid@fd". Blanks may follow a comma.
func parseTargets(text string) ([]Target, error) {
	var list []Target
	for entry := range strings.SplitSeq(text, ",") {
		fid, fd, _ := strings.Cut(strings.TrimLeft(entry, " "), "@")
		a, err1 := strconv.ParseInt(fid, 10, 32)
		b, err2 := strconv.ParseInt(fd, 10, 32)
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("%.40q is not a function: use fid@fd", entry)
		}
		if list = append(list, Target{FD: int32(b), FID: int32(a)}); len(list) > maxTargets {
			return nil, fmt.Errorf("more than %d functions", maxTargets)
		}
	}
	return list, nil
}

// integer returns raw as an integer if it lies in lo to hi.
func integer(raw any, lo, hi int64) (int64, bool) {
	switch v := raw.(type) {
	case int64:
		return v, v >= lo && v <= hi
	case uint64:
		return int64(v), v <= uint64(hi)
	}
	return 0, false
}
