package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"gomapi/mapi"
	"gomapi/mapi/result"
)

// A record is a result as the daemon describes it.
type record []part

// A part is a field of a record.
type part struct {
	name, unit string
	json       any
	text       string
}

// record decodes a result by its fields. It reports false if they do not
// describe it.
func (f *applied) record(b []byte) (r record, ok bool) {
	for i, field := range f.fields {
		size := 8
		if strings.HasSuffix(field.Kind, "32") {
			size = 4
		}
		if len(b) < size {
			return nil, false
		}
		v, known := decode(field, b[:size])
		if !known {
			return nil, false
		}
		if v.unit = field.Unit; i == 0 && v.unit == "" && v.text == "" {
			v.unit = f.unit
		}
		if v.text == "" {
			v.text = counted(v.json, v.unit)
		}
		if b = b[size:]; field.Name != "" {
			r = append(r, v)
		}
	}
	return r, len(r) > 0 && len(b) == 0
}

func decode(field mapi.ResultField, b []byte) (v part, known bool) {
	v.name = field.Name
	if len(b) == 4 {
		n := binary.NativeEndian.Uint32(b)
		v.json = n
		if field.Kind == "int32" {
			v.json = int32(n)
		}
		return v, field.Kind == "int32" || field.Kind == "uint32"
	}
	n := binary.NativeEndian.Uint64(b)
	switch field.Kind {
	case "uint64":
		v.json = n
	case "int64":
		v.json = int64(n)
	case "float64":
		if v.json = math.Float64frombits(n); math.IsNaN(v.json.(float64)) || math.IsInf(v.json.(float64), 0) {
			v.json, v.text = nil, fmt.Sprint(math.Float64frombits(n)) // JSON has no such numbers
		}
	case "time":
		at := momentOf(n)
		v.json, v.text = at, words(at)
	case "span":
		s := inSeconds(result.Gap(n).Duration())
		v.json, v.text = s, fmt.Sprintf("%.9f s", s)
	default:
		return v, false
	}
	return v, true
}

func (r record) String() string {
	if len(r) == 1 {
		return r[0].text
	}
	var list []string
	for _, v := range r {
		list = append(list, strings.ReplaceAll(v.name, "_", " ")+" "+v.text)
	}
	return strings.Join(list, ", ")
}

// MarshalJSON writes the fields in their order. A single value has its unit
// beside it.
func (r record) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, v := range r {
		text, err := json.Marshal(v.json)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%c%q:%s", "{,"[min(i, 1)], v.name, text)
		if len(r) == 1 && v.unit != "" {
			fmt.Fprintf(&b, ",\"unit\":%q", v.unit)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
