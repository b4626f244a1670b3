package mapi

import (
	"context"
	"fmt"
	"math"
	"strings"

	"gomapi/internal/funccall"
	"gomapi/internal/mapierr"
)

// ApplyArray is Apply with all arguments as text, for programs that read them
// as input. Numbers, decimal or with 0x, are converted according to the
// function's argument letters. Names of constants, of this package or the
// original, stand for their numbers, and may be added up: PERIODIC,
// ThresholdUint64+ThresholdWindow. Additional errors: 7001 to 7005 and 7011 for
// text that is not a number or out of range.
func (f *Flow) ApplyArray(ctx context.Context, name string, args []string) (*Function, error) {
	converted, err := f.convert(ctx, name, args)
	if err != nil {
		f.note(name, err)
		return nil, f.client.fail(err, "apply %s to flow %d", name, f.fd)
	}
	return f.Apply(ctx, name, converted...)
}

// convert converts texts to the argument types of the function.
func (f *Flow) convert(ctx context.Context, name string, args []string) ([]any, error) {
	if f.closed.Load() {
		return nil, errClosed(f.fd)
	}
	d, err := f.link.descr(ctx, name)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(args))
	for i, text := range args {
		if i >= len(d.letters) || !strings.ContainsRune("ilcrf", rune(d.letters[i])) {
			out[i] = text
			continue
		}
		if out[i], err = number(d.letters[i], text); err != nil {
			return nil, mapierr.New(mapierr.BadArgument(i), "argument %d: %v", i+1, err)
		}
	}
	return out, nil
}

// number parses a number of the kind. A character may stand for itself.
func number(kind byte, text string) (any, error) {
	if kind == 'c' && len(text) == 1 && (text[0] < '0' || text[0] > '9') {
		return int(text[0]), nil
	}
	v, ok := funccall.Number(text)
	n, signed := v.(int64)
	switch {
	case !ok, kind == 'l' && n < 0:
	case kind == 'l' && signed:
		return uint64(n), nil
	case kind == 'l':
		return v, nil
	case signed && n >= math.MinInt32 && n <= math.MaxInt32:
		return n, nil
	}
	return nil, fmt.Errorf("%.40q is not a number, or out of range", text)
}

// ApplyFunctionArray is ApplyFunction with all arguments as text. See
// Flow.ApplyArray.
func ApplyFunctionArray(fd int, name string, args []string) (fid int, err error) {
	return std.apply(fd, name, func(f *Flow) (*Function, error) {
		return f.ApplyArray(context.Background(), name, args)
	})
}
