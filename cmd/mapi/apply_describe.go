package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gomapi/internal/funccall"
	"gomapi/mapi"
)

// describe takes what the tool must know of a function's result from the
// definition that the daemon has chosen: several libraries may have a function of
// this name, and a library may have one for each type of device.
func (a *applying) describe(ctx context.Context, f *applied) error {
	info, err := f.fn.Info(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(a.known, func(d definition) bool {
		return d.library == info.Library && d.Name == info.Name && d.DevType == info.DevType
	})
	if i >= 0 { // else the libraries have changed meanwhile
		f.use(&a.known[i])
	}
	a.setUnits(f)
	return nil
}

// use takes the fields that the result has with the arguments of f.
func (f *applied) use(d *definition) {
	f.of, f.form = d.library+":"+d.Name, parseForm(d.Text)
	for _, field := range d.Fields {
		same := func(have mapi.ResultField) bool { return field.Name != "" && have.Name == field.Name }
		if f.meets(field.When, d.Args) && !slices.ContainsFunc(f.fields, same) {
			f.fields = append(f.fields, field)
		}
	}
}

// meets reports whether the arguments are among those of a field, such as
// "type=2,66 boundary=0".
func (f *applied) meets(when string, args []mapi.ArgInfo) bool {
	for condition := range strings.FieldsSeq(when) {
		name, values, _ := strings.Cut(condition, "=")
		i := slices.IndexFunc(args, func(a mapi.ArgInfo) bool { return a.Name == name })
		if i < 0 || !slices.Contains(strings.Split(values, ","), f.arg(i, args[i].Default)) {
			return false
		}
	}
	return true
}

// arg returns argument i of the function as a decimal number, as the daemon has it.
func (f *applied) arg(i int, omitted string) string {
	if i >= len(f.sent) {
		return omitted
	}
	n, _ := funccall.Number(f.sent[i])
	return fmt.Sprint(n)
}
