package main

import (
	"regexp"
	"slices"
	"strings"
)

// A form is the text of a result, made of clauses.
type form []clause

// A clause is a part of a form. other takes its place if one of its fields has no
// value.
type clause struct {
	pieces []piece
	other  string
}

// A piece is the text of a field, or a fixed text.
type piece struct {
	fixed string
	field string // empty: fixed
	bare  bool   // the number alone
}

var (
	clauses = regexp.MustCompile(`\[([^|\]]*)\|?([^\]]*)\]|([^\[]+)`)
	places  = regexp.MustCompile(`\{(#?)(\w+)\}|([^{]+|\{)`)
)

// parseForm parses the text of a function's definition.
func parseForm(text string) (f form) {
	for _, m := range clauses.FindAllStringSubmatch(text, -1) {
		c := clause{other: m[2]}
		for _, p := range places.FindAllStringSubmatch(m[1]+m[3], -1) {
			c.pieces = append(c.pieces, piece{fixed: p[3], field: p[2], bare: p[1] != ""})
		}
		f = append(f, c)
	}
	return f
}

func (r record) String() string {
	if r.form != nil {
		var text strings.Builder
		for _, c := range r.form {
			text.WriteString(c.text(r.parts))
		}
		return text.String()
	}
	if len(r.parts) == 1 {
		return strings.TrimPrefix(r.parts[0].text, "\n")
	}
	var list []string
	for _, p := range r.parts {
		if !p.hidden {
			list = append(list, strings.Replace(p.label()+" "+p.text, " \n", "\n", 1)) // a table stands on lines of its own
		}
	}
	return strings.Join(list, ", ")
}

// text is the text of a clause with the values of a record.
func (c clause) text(parts []part) string {
	var text strings.Builder
	for _, p := range c.pieces {
		i := slices.IndexFunc(parts, func(v part) bool { return v.name == p.field })
		switch {
		case p.field == "":
			text.WriteString(p.fixed)
		case i < 0 || parts[i].none:
			return c.other
		case p.bare:
			text.WriteString(parts[i].number)
		default:
			text.WriteString(parts[i].text)
		}
	}
	return text.String()
}
