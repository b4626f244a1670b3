package mapi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gomapi/internal/wire"
)

// packRefs adds the flows and functions of an argument: as their numbers or, if
// the function takes text, as a list of numbers.
func (l *link) packRefs(ctx context.Context, p *packed, name string, arg any) error {
	i := len(p.values)
	kind, err := l.kind(ctx, name, i)
	if err != nil {
		return err
	}
	flows, functions := references(arg)
	if err := l.owns(flows, functions); err != nil {
		return badArgument(i, err)
	}
	switch {
	case len(flows)+len(functions) == 0:
		return badArgument(i, fmt.Errorf("the list of %T is empty", arg))
	case len(functions) == 1 && (kind == 'r' || kind == 0): // 0: the daemon reports the surplus argument
		p.addInt(functions[0].flow.fd)
		p.addInt(functions[0].fid)
	case len(flows) == 1 && (kind == 'r' || kind == 0):
		p.addInt(flows[0].fd)
	case len(functions) > 0 && kind == 'S':
		p.addText(join(functions, func(fn *Function) string { return fmt.Sprintf("%d@%d", fn.fid, fn.flow.fd) }))
	case len(flows) > 0 && kind == kindFlows:
		p.addText(join(flows, func(f *Flow) string { return fmt.Sprint(f.fd) }))
	default:
		return badArgument(i, fmt.Errorf("%s takes no %T here", name, arg))
	}
	return nil
}

// references returns the flows and functions of an argument.
func references(arg any) (flows []*Flow, functions []*Function) {
	switch a := arg.(type) {
	case *Flow:
		return []*Flow{a}, nil
	case []*Flow:
		return a, nil
	case *Function:
		return nil, []*Function{a}
	case []*Function:
		return nil, a
	}
	return nil, nil
}

// owns rejects objects of another connection, because their numbers mean
// something else here.
func (l *link) owns(flows []*Flow, functions []*Function) error {
	for _, f := range flows {
		switch {
		case f == nil:
			return errors.New("the flow is nil")
		case f.link != l:
			return fmt.Errorf("flow %d belongs to another client or connection", f.fd)
		}
	}
	for _, fn := range functions {
		switch {
		case fn == nil:
			return errors.New("the function is nil")
		case fn.flow.link != l:
			return fmt.Errorf("function %d (%s) belongs to another client or connection", fn.fid, fn.name)
		}
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
