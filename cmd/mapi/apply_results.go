package main

import (
	"encoding/hex"
	"fmt"
	"time"

	"gomapi/mapi"
)

// A view formats a result, as text and as the fields of a JSON object.
type view interface{ String() string }

// views are for results that Fields cannot describe: the mean of STATS is
// computed, and HASHSAMP shows addresses and ports, which lie apart, together,
// and more of TCP than of UDP. They report false for malformed bytes.
var views = map[string]func(f *applied, b []byte) (view, bool){
	"stdflib:HASHSAMP": viewSample,
	"stdflib:STATS":    viewStats,
}

// view decodes a result. It shows a result that the daemon does not describe
// in hexadecimal.
func (f *applied) view(b []byte) view {
	if r, ok := f.record(b); ok {
		return r
	}
	if of := views[f.of]; of != nil {
		if v, ok := of(f, b); ok {
			return v
		}
	}
	return unknown{hex.EncodeToString(b)}
}

// ticks is the unit of times and of values derived from times.
const ticks = "units of 2^-32 s"

// setUnits sets the unit of the function that f reads, of the first if there are
// several, and that of the first word of its own result, which others read.
func (a *applying) setUnits(f *applied) {
	for _, arg := range f.args {
		if len(arg.refs) > 0 {
			f.target = a.functions[arg.refs[0]-1].unit
			break
		}
	}
	if f.unit = f.target; len(f.fields) > 0 {
		f.unit = f.unitOf(f.fields)
	}
}

// unitOf is the unit of the first word of fields.
func (f *applied) unitOf(fields []mapi.ResultField) string {
	for _, first := range fields {
		switch first.Kind {
		case "index":
			continue // has no bytes
		case "rows":
			return f.unitOf(first.Rows)
		case "time", "moment", "span":
			return ticks
		}
		if first.Unit == targetUnit {
			return f.target
		}
		return first.Unit
	}
	return ""
}

// A resultObject is a result, or an entry of a series, in JSON.
type resultObject struct {
	Time     *time.Time `json:"time,omitempty"` // when it was read, on a device; entries have their own time
	Function int        `json:"function"`       // position in the command line
	Name     string     `json:"name"`
	Result   view       `json:"result"`
}

// print prints a result, preceded by its time unless that is zero.
func (a *applying) print(f *applied, at time.Time, v view) error {
	at = at.Local()
	if a.json {
		o := resultObject{Function: f.number, Name: f.name, Result: v}
		if !at.IsZero() {
			o.Time = &at
		}
		return writeJSON(a.out, o)
	}
	clock := ""
	if !at.IsZero() {
		clock = at.Format("15:04:05.000 ")
	}
	_, err := fmt.Fprintf(a.out, "%s%d %s: %s\n", clock, f.number, f.name, v)
	return err
}

// unknown is a result of an unknown function.
type unknown struct {
	Hex string `json:"hex"`
}

func (u unknown) String() string { return "0x" + u.Hex }

// buffered counts the packets of a packet buffer.
type buffered struct {
	Taken uint64 `json:"taken"` // packets
	Lost  uint64 `json:"lost"`  // packets that were not taken in time
}

func (b buffered) String() string { return fmt.Sprintf("%s taken, %d lost", packets(b.Taken), b.Lost) }
