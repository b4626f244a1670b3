package flib

import (
	"strings"
	"testing"
)

func TestCheckFields(t *testing.T) {
	list := func(rows ...Field) Field { return Field{Name: "list", Kind: FieldRows, Rows: rows} }
	index, count := Field{Name: "i", Kind: FieldIndex}, Field{Name: "n", Kind: FieldUint64}
	when := func(condition string) Field { return Field{Name: "n", Kind: FieldUint64, When: condition} }
	for _, c := range []struct {
		fields []Field
		text   string
		want   string // a part of the error; empty: none
	}{
		{nil, "", ""},
		{[]Field{count, list(index, count), {Kind: FieldUint32}}, "{n}: {#list}[ {n}|none]", ""},
		{[]Field{when("type=1,2")}, "", ""},
		{[]Field{when("type=1 name=2")}, "", `"name=2"`},
		{[]Field{when("size=1")}, "", `"size=1"`},
		{[]Field{count}, "{n} {#m}", "{#m}"},
		{[]Field{{Name: "x", Kind: "int"}}, "", `kind "int"`},
		{[]Field{{Name: "x"}}, "", `kind ""`},
		{[]Field{index}, "", `kind "index"`},
		{[]Field{list()}, "", "Rows"},
		{[]Field{{Name: "x", Kind: FieldUint64, Rows: []Field{count}}}, "", "Rows"},
		{[]Field{list(count), list(count)}, "", "2 lists"},
		{[]Field{list(list(count))}, "", "a row"},
		{[]Field{list(when("type=1"))}, "", "a row"},
	} {
		d := Def{Name: "F", Args: []Arg{{Name: "type", Kind: Int}, {Name: "name", Kind: String}}, Fields: c.fields, Text: c.text}
		err := d.CheckFields()
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v, %q: %v, want %q", c.fields, c.text, err, c.want)
		}
	}
}
