package main

import (
	"encoding/hex"
	"fmt"
	"time"

	"gomapi/mapi"
	"gomapi/mapi/result"
)

// A view formats a result, as text and as the fields of a JSON object.
type view interface{ String() string }

// views decode the results of functions and, for functions with a series, its
// entries. They report false for malformed bytes.
var views = map[string]func(f *applied, b []byte) (view, bool){
	"BINOP":     viewBinop,
	"BUCKET":    viewBucket,
	"BURST":     viewBurst,
	"DIST":      viewDist,
	"HASHSAMP":  viewSample,
	"PKTINFO":   viewPktInfo,
	"STARTSTOP": viewStartStop,
	"STATS":     viewStats,
	"THRESHOLD": viewThreshold,
	"TO_FILE":   viewFile,
}

// view decodes a result. It shows a result that the daemon does not describe
// in hexadecimal.
func (f *applied) view(b []byte) view {
	if r, ok := f.record(b); ok {
		return r
	}
	if of := views[f.plain()]; of != nil {
		if v, ok := of(f, b); ok {
			return v
		}
	}
	return unknown{hex.EncodeToString(b)}
}

// ticks is the unit of times and of values derived from times.
const ticks = "units of 2^-32 s"

// unitOf is the unit of the first word of a function's result, which other
// functions read. A function that reads others has the unit of the first of
// them.
func (a *applying) unitOf(f *applied) string {
	if f.plain() == "PKTINFO" {
		if f.arg(0) == uint64(mapi.PktSize) {
			return "bytes"
		}
		return ticks
	}
	if len(f.fields) > 0 {
		if u := f.fields[0]; u.Unit != "" {
			return u.Unit
		} else if u.Kind == "time" || u.Kind == "span" {
			return ticks
		}
	}
	for _, arg := range f.args {
		if len(arg.refs) > 0 {
			return a.functions[arg.refs[0]-1].unit
		}
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

// amount is a number with its unit, which may be empty.
type amount struct {
	Value uint64 `json:"value"`
	Unit  string `json:"unit,omitempty"`
}

func (n amount) String() string { return counted(n.Value, n.Unit) }

func viewBinop(f *applied, b []byte) (view, bool) {
	n, ok := result.ParseBinop(b)
	if n == result.BinopNoValue {
		return noValue{}, ok
	}
	if f.arg(0) == uint64(mapi.BinopSub) {
		return difference{int64(n), f.unit}, ok
	}
	return amount{uint64(n), f.unit}, ok
}

// difference is the difference of two results, negative if the second is
// greater.
type difference struct {
	Value int64  `json:"value"`
	Unit  string `json:"unit,omitempty"`
}

func (d difference) String() string { return counted(d.Value, d.Unit) }

// noValue is the result of a function that has found no value.
type noValue struct{}

func (noValue) String() string { return "no value" }

func viewPktInfo(f *applied, b []byte) (view, bool) {
	n, ok := result.ParsePktInfo(b)
	if f.unit == ticks {
		return instant{momentOf(uint64(n))}, ok
	}
	return amount{uint64(n), f.unit}, ok
}

// instant is a time, nil if there is none.
type instant struct {
	At *time.Time `json:"at"`
}

func (i instant) String() string { return words(i.At) }

// momentOf converts packet time. It returns nil for 0, which means none.
func momentOf(ts uint64) *time.Time {
	if ts == 0 {
		return nil
	}
	t := result.PktInfo(ts).Time().Local()
	return &t
}

// words formats a time as local time in nanoseconds.
func words(t *time.Time) string {
	if t == nil {
		return "none"
	}
	return t.Local().Format("2006-01-02T15:04:05.000000000Z07:00")
}

func viewFile(_ *applied, b []byte) (view, bool) {
	s, ok := result.ParseFileState(b)
	state, known := map[result.FileState]string{
		result.FileFailed: "failed", result.FileDone: "done", result.FileWriting: "writing",
	}[s]
	return file{state, int32(s)}, ok && known
}

// file is the state of an output file.
type file struct {
	State  string `json:"state"`
	Number int32  `json:"number"` // the number of the state in the API
}

func (f file) String() string { return f.State }

// buffered counts the packets of a packet buffer.
type buffered struct {
	Taken uint64 `json:"taken"` // packets
	Lost  uint64 `json:"lost"`  // packets that were not taken in time
}

func (b buffered) String() string { return fmt.Sprintf("%s taken, %d lost", packets(b.Taken), b.Lost) }
