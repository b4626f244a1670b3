package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gomapi/mapi"
	"gomapi/mapi/result"
)

// targetUnit is a unit of fields: that of the first function referred to.
const targetUnit = "@target"

// A record is a result as the daemon describes it.
type record struct {
	parts []part
	form  form // nil: the names and texts of the parts
}

// A part is a field of a record.
type part struct {
	name   string
	hidden bool // not in JSON
	none   bool // it has no value
	json   any  // nil: null, or no value
	number string
	text   string // number with its unit
	unit   string
	target bool   // the unit is that of the target
	code   string // number for which a word stands
}

// record decodes a result by its fields. It reports false if they do not
// describe it.
func (f *applied) record(b []byte) (record, bool) {
	parts, ok := f.decode(f.fields, b, 0)
	return record{parts, f.form}, ok && len(parts) > 0
}

// decode decodes fields, of row number row if they are in a list.
func (f *applied) decode(fields []mapi.ResultField, b []byte, row int) (parts []part, ok bool) {
	for i, field := range fields {
		size := sizeOf(field)
		if field.Kind == "rows" {
			size = len(b) - sizeOf(fields[i+1:]...)
		}
		if size < 0 || size > len(b) {
			return nil, false
		}
		p, ok := f.part(field, b[:size], row)
		if !ok {
			return nil, false
		}
		if b = b[size:]; field.Name != "" {
			parts = append(parts, p)
		}
	}
	return parts, len(b) == 0
}

// sizeOf is the number of bytes of fields, without lists.
func sizeOf(fields ...mapi.ResultField) (size int) {
	for _, field := range fields {
		switch field.Kind {
		case "index", "rows":
		case "uint32", "int32":
			size += 4
		default:
			size += 8
		}
	}
	return size
}

// part decodes a field.
func (f *applied) part(field mapi.ResultField, b []byte, row int) (part, bool) {
	p := part{name: field.Name, hidden: field.Hidden}
	switch field.Kind {
	case "rows":
		return p, f.list(&p, field, b)
	case "index":
		p.set(row, "")
		return p, true
	}
	if p.none = field.Optional && !slices.ContainsFunc(b, func(c byte) bool { return c != 0xff }); p.none {
		p.text = "no value"
		return p, true
	}
	unit := field.Unit
	if p.target = unit == targetUnit; p.target {
		unit = f.target
	}
	return p, p.decode(field, b, unit)
}

// decode decodes a value. It reports false if the kind or the value is not known.
func (p *part) decode(field mapi.ResultField, b []byte, unit string) bool {
	var n uint64
	if len(b) == 4 {
		n = uint64(binary.NativeEndian.Uint32(b))
	} else {
		n = binary.NativeEndian.Uint64(b)
	}
	switch field.Kind {
	case "uint32", "uint64":
		p.set(n, unit)
	case "int32":
		p.set(int32(n), unit)
		n = uint64(int32(n))
	case "int64":
		p.set(int64(n), unit)
	case "float64":
		x := math.Float64frombits(n)
		if p.set(x, unit); math.IsNaN(x) || math.IsInf(x, 0) {
			p.json, p.text = nil, p.number // JSON has no such numbers
		}
	case "time", "moment":
		p.setTime(n, n == 0 && field.Kind == "time")
	case "span":
		s := inSeconds(result.Gap(n).Duration())
		p.json, p.number, p.text = s, fmt.Sprintf("%.9f", s), fmt.Sprintf("%.9f s", s)
	default:
		return false
	}
	return field.Words == nil || p.setWord(field.Words[int64(n)])
}

// words formats a time as local time in nanoseconds.
func words(t *time.Time) string {
	if t == nil {
		return "none"
	}
	return t.Local().Format("2006-01-02T15:04:05.000000000Z07:00")
}

// set sets a number.
func (p *part) set(n any, unit string) {
	p.json, p.number, p.unit = n, fmt.Sprint(n), unit
	p.text = counted(p.number, unit)
}

func (p *part) setTime(ts uint64, none bool) {
	var at *time.Time
	if t := result.PktInfo(ts).Time().Local(); !none {
		at = &t
	}
	p.json, p.number, p.text = at, words(at), words(at)
}

// setWord puts a word in the place of the number.
func (p *part) setWord(word string) bool {
	p.code, p.unit = p.number, ""
	p.json, p.number, p.text = word, word, word
	return word != ""
}

// list decodes the rows of a list. It leaves out rows of zeros that are numbered.
func (f *applied) list(p *part, field mapi.ResultField, b []byte) bool {
	size := sizeOf(field.Rows...)
	if size == 0 || len(b)%size != 0 {
		return false
	}
	sparse := slices.ContainsFunc(field.Rows, func(r mapi.ResultField) bool { return r.Kind == "index" })
	rows := []row{}
	for i := range len(b) / size {
		b := b[i*size : (i+1)*size]
		if sparse && !slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) {
			continue
		}
		parts, ok := f.decode(field.Rows, b, i)
		if !ok || len(parts) == 0 {
			return false
		}
		rows = append(rows, parts)
	}
	p.json, p.number, p.text = rows, counted(len(rows), field.Unit), textOf(rows)
	if p.none = len(rows) == 0; p.none {
		p.text = "none"
	}
	return true
}

// A row is a row of a list.
type row []part

// textOf formats rows with one value on one line, others as a table on lines of
// its own.
func textOf(rows []row) string {
	if len(rows) == 0 || len(rows[0]) == 1 {
		var values []string
		for _, r := range rows {
			values = append(values, r[0].number)
		}
		return strings.Join(values, " ")
	}
	var head []string
	for _, p := range rows[0] {
		head = append(head, strings.ToUpper(p.label()))
	}
	var text strings.Builder
	tab := newTable(&text, "    ", head...)
	for _, r := range rows {
		var cells []any
		for _, p := range r {
			cells = append(cells, p.number)
		}
		tab.row(cells...)
	}
	_ = tab.flush() // writes to memory, cannot fail
	return "\n" + strings.TrimSuffix(text.String(), "\n")
}

// label is the name for people.
func (p part) label() string { return strings.ReplaceAll(p.name, "_", " ") }

// MarshalJSON writes a row with one value as this value.
func (r row) MarshalJSON() ([]byte, error) {
	if len(r) == 1 {
		return json.Marshal(r[0].json)
	}
	return record{parts: r}.MarshalJSON()
}

// MarshalJSON writes the fields in their order. The unit of the target stands
// behind the last field that has it. A single value has its unit, or the number
// of its word, beside it.
func (r record) MarshalJSON() ([]byte, error) {
	parts := slices.DeleteFunc(slices.Clone(r.parts), func(p part) bool { return p.hidden || p.none && p.json == nil })
	last := len(parts) - 1
	for last > 0 && !parts[last].target {
		last--
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, p := range parts {
		text, err := json.Marshal(p.json)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", p.name, text)
		switch beside := i == last && (p.target || len(parts) == 1); {
		case beside && p.unit != "":
			fmt.Fprintf(&b, ",\"unit\":%q", p.unit)
		case beside && p.code != "":
			fmt.Fprintf(&b, ",\"number\":%s", p.code)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
