package mapi

import (
	"context"
	"fmt"
	"strings"

	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

// packRefs adds flows and functions that an argument refers to: by their numbers,
// or, where the function takes text, as a list of these.
func (l *link) packRefs(ctx context.Context, p *packed, name string, arg any) error {
	i := len(p.values)
	kind, err := l.kind(ctx, name, i)
	if err != nil {
		return err
	}
	bad := func(format string, args ...any) error {
		return mapierr.New(mapierr.BadArgument(i), "argument %d: %s", i+1, fmt.Sprintf(format, args...))
	}
	var functions []*Function
	var flows []*Flow
	switch a := arg.(type) {
	case *Flow:
		flows = []*Flow{a}
	case []*Flow:
		flows = a
	case *Function:
		functions = []*Function{a}
	case []*Function:
		functions = a
	}
	for _, fn := range functions {
		if fn == nil || fn.flow.link != l {
			return bad("the function is not one of this client's")
		}
	}
	for _, f := range flows {
		if f == nil || f.link != l {
			return bad("the flow is not one of this client's")
		}
	}
	switch {
	case len(functions) == 1 && kind == 'r':
		p.addInt(functions[0].flow.fd)
		p.addInt(functions[0].fid)
	case len(flows) == 1 && kind == 'r':
		p.addInt(flows[0].fd)
	case len(functions) > 0 && kind == 'S':
		p.addText(join(functions, func(fn *Function) string { return fmt.Sprintf("%d@%d", fn.fid, fn.flow.fd) }))
	case len(flows) > 0 && kind == 's':
		p.addText(join(flows, func(f *Flow) string { return fmt.Sprint(f.fd) }))
	default:
		return bad("%s takes no %T here", name, arg)
	}
	return nil
}

func join[T any](list []T, word func(T) string) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = word(v)
	}
	return strings.Join(words, ",")
}

func (p *packed) addInt(n int) {
	p.values = append(p.values, &wire.Value{Kind: &wire.Value_Int{Int: int64(n)}})
}

func (p *packed) addText(s string) {
	p.values = append(p.values, &wire.Value{Kind: &wire.Value_Text{Text: []byte(s)}})
}
