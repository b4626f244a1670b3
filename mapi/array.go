package mapi

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"gomapi/internal/mapierr"
)

// ApplyArray is Apply with all arguments as text, for programs that read them
// as input. Numbers, decimal or with 0x, are converted according to the
// function's argument letters. Additional errors: 7001 to 7005 and 7011 for
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
	digits, base := strings.TrimPrefix(text, "-"), 10
	if hex, ok := strings.CutPrefix(strings.ToLower(digits), "0x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 64)
	negative := strings.HasPrefix(text, "-")
	switch {
	case kind == 'c' && len(text) == 1 && (text[0] < '0' || text[0] > '9'):
		return int(text[0]), nil
	case err != nil, kind == 'l' && negative:
	case kind == 'l':
		return n, nil
	case negative && n <= -math.MinInt32:
		return -int64(n), nil
	case !negative && n <= math.MaxInt32:
		return int64(n), nil
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
