package flib

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	fieldKinds = []FieldKind{FieldUint32, FieldInt32, FieldUint64, FieldInt64, FieldFloat64, FieldTime, FieldMoment, FieldSpan, FieldRows}
	rowKinds   = append(slices.Clone(fieldKinds[:len(fieldKinds)-1]), FieldIndex)
	textNames  = regexp.MustCompile(`\{#?(\w+)\}`)
)

// CheckFields returns what is wrong with Fields and Text, nil if programs can show the
// result by them. Package flibtest calls it.
func (d *Def) CheckFields() error {
	lists := 0
	for _, f := range d.Fields {
		if f.Kind == FieldRows {
			lists++
		}
		if err := d.checkField(f); err != nil {
			return err
		}
	}
	if lists > 1 {
		return fmt.Errorf("%s: Fields have %d lists, but only one can take the room that is left", d.Name, lists)
	}
	for _, m := range textNames.FindAllStringSubmatch(d.Text, -1) {
		if !slices.ContainsFunc(d.Fields, func(f Field) bool { return f.Name == m[1] }) {
			return fmt.Errorf("%s: Text has %s, but Fields have no such name", d.Name, m[0])
		}
	}
	return nil
}

func (d *Def) checkField(f Field) error {
	switch {
	case !slices.Contains(fieldKinds, f.Kind):
		return fmt.Errorf("%s: field %q has the kind %q: use one of %q", d.Name, f.Name, f.Kind, fieldKinds)
	case (f.Kind == FieldRows) != (len(f.Rows) > 0):
		return fmt.Errorf("%s: field %q: the kind %q needs Rows, no other has them", d.Name, f.Name, FieldRows)
	}
	for condition := range strings.FieldsSeq(f.When) {
		name, _, _ := strings.Cut(condition, "=")
		if !slices.ContainsFunc(d.Args, func(a Arg) bool { return a.Name == name && a.Kind == Int }) {
			return fmt.Errorf("%s: field %q: When has %q, but the function has no such argument of kind int", d.Name, f.Name, condition)
		}
	}
	for _, r := range f.Rows {
		if !slices.Contains(rowKinds, r.Kind) || r.When != "" {
			return fmt.Errorf("%s: field %q of %q: a row has neither conditions nor other kinds than %q", d.Name, r.Name, f.Name, rowKinds)
		}
	}
	return nil
}
