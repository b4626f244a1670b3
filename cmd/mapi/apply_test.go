package main

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"gomapi/flib/stdflib"
	"gomapi/mapi"
	"gomapi/mapi/result"
)

// TestViews formats results that no script can produce.
func TestViews(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = local })
	word := func(n uint64) []byte { return binary.NativeEndian.AppendUint64(nil, n) }
	negative := uint64(1<<64 - 5)
	event := result.ThresholdEvent{TS: 1 << 32, Value: negative, Remaining: result.Unlimited}.Append(nil)
	v6 := result.HashSample{TS: 1 << 32, Src: [4]byte{1, 2, 3, 4}, SrcPort: 5, DstPort: 6, Proto: 17, IPv6: true}
	sample := make([]byte, result.HashSampleSize)
	v6.Put(sample)
	dist := result.Dist{Max: 10, Counts: []uint64{1, 2}}
	table := make([]byte, result.DistSize(1))
	dist.Put(table)
	known := standard(t)
	for _, c := range []struct {
		name string
		sent []string
		res  []byte
		want string
	}{
		{"LATER", nil, []byte{1, 0xab}, "0x01ab"},
		{"LATER", nil, nil, "0x"},
		{"PKTINFO", []string{"0x1"}, word(7), "7 bytes"},
		{"PKTINFO", []string{"00"}, word(1 << 32), "1970-01-01T00:00:01.000000000Z"},
		{"BINOP", []string{"0"}, word(math.MaxUint64), "no value"},
		{"BINOP", []string{"1"}, word(math.MaxUint64), "no value"},
		{"BINOP", []string{"1"}, word(1<<64 - 5), "-5"},
		{"BINOP", []string{"0"}, word(1<<64 - 5), "18446744073709551611"},
		{"TO_FILE", nil, []byte{255, 255, 255, 255}, "failed"},
		{"TO_FILE", nil, []byte{5, 0, 0, 0}, "0x05000000"},
		{"BUCKET", nil, append(word(0), word(3)...), "1970-01-01T00:00:00.000000000Z 3"},
		{"THRESHOLD", []string{"2", "1", "1", "9", "8"}, event, "1970-01-01T00:00:01.000000000Z -5"},
		{"THRESHOLD", []string{"130", "1", "1", "9", "1"}, event, "1970-01-01T00:00:01.000000000Z -5"},
		{"THRESHOLD", []string{"66", "1", "1", "9", "1"}, event, "1970-01-01T00:00:01.000000000Z 18446744073709551611"},
		{"HASHSAMP", nil, sample, "1970-01-01T00:00:01.000000000Z 1.2.3.4:5 > 0.0.0.0:6 protocol 17 (IPv6, addresses folded)"},
		{"DIST", nil, table, "packets in 1 interval from 0 to 10, and above: 1 2"},
		{"DIST", nil, table[:len(table)-1], "0x" + hex.EncodeToString(table[:len(table)-1])},
	} {
		f := &applied{number: 1, name: c.name, sent: c.sent}
		if i := slices.IndexFunc(known, func(d definition) bool { return d.Name == c.name }); i >= 0 {
			f.use(&known[i])
		}
		if got := f.view(c.res).String(); got != c.want {
			t.Errorf("%s %s of %x: %q, want %q", c.name, c.sent, c.res, got, c.want)
		}
	}
}

// TestUnits finds the units of the words that other functions read.
func TestUnits(t *testing.T) {
	known := standard(t)
	sizes := &applied{unit: "bytes"}
	for _, c := range []struct {
		name, arg, want string
	}{
		{"BURST", "", "bytes"}, {"DIST", "", "bytes"}, {"GAP", "", ticks}, {"HASH", "1", ""}, {"PKTINFO", "0", ticks},
		{"PKTINFO", "1", "bytes"}, {"PKT_COUNTER", "", "packets"}, {"STARTSTOP", "", ticks}, {"TO_FILE", "0", ""},
	} {
		f := &applied{name: c.name, sent: []string{c.arg}, args: []argument{{refs: []int{1}}}}
		f.use(&known[slices.IndexFunc(known, func(d definition) bool { return d.Name == c.name })])
		(&applying{functions: []*applied{sizes}}).setUnits(f)
		if f.unit != c.want || f.target != "bytes" {
			t.Errorf("%s %s: %q, want %q", c.name, c.arg, f.unit, c.want)
		}
	}
}

// standard returns the definitions of stdflib as a daemon sends them.
func standard(t *testing.T) []definition {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	startWith(t, socket, stdflib.Library())
	c := &mapi.Client{Socket: socket}
	t.Cleanup(func() { c.Close() })
	known, err := definitions(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// TestWhole formats sums that exceed a uint64.
func TestWhole(t *testing.T) {
	for w, want := range map[result.Wide]any{
		{High: 5}:                       uint64(5),
		{High: 1 << 60, Low: 1}:         uint64(1<<60 + 1),
		{High: 1e30, Low: 1}:            1e30,
		{High: -1}:                      -1.0,
		{High: float64(math.MaxUint64)}: float64(math.MaxUint64),
		{High: 0.5}:                     0.5,
	} {
		if got := whole(w); got != want {
			t.Errorf("%v: %v, want %v", w, got, want)
		}
	}
}

// TestRecords formats results by their description alone.
func TestRecords(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = local })
	word := func(n ...uint64) (b []byte) {
		for _, w := range n {
			b = binary.NativeEndian.AppendUint64(b, w)
		}
		return b
	}
	list := func(unit string, fields ...mapi.ResultField) mapi.ResultField {
		return mapi.ResultField{Name: "hosts", Kind: "rows", Unit: unit, Rows: fields}
	}
	number, count := mapi.ResultField{Name: "number", Kind: "index"}, mapi.ResultField{Name: "seen_packets", Kind: "uint64"}
	state := mapi.ResultField{Name: "state", Kind: "int32", Words: map[int64]string{-2: "lost"}}
	for _, c := range []struct {
		fields     []mapi.ResultField
		res        []byte
		text, json string
	}{
		{[]mapi.ResultField{list("", count), {Kind: "uint64"}}, word(5, 0, 9), "5 0", `{"hosts":[5,0]}`},
		{[]mapi.ResultField{list("", count)}, nil, "none", `{"hosts":[]}`},
		{[]mapi.ResultField{list("", number, count, state)}, word(5), "0x" + hex.EncodeToString(word(5)), `{"hex":"` + hex.EncodeToString(word(5)) + `"}`},
		{[]mapi.ResultField{list("", mapi.ResultField{Name: "endless", Kind: "index"})}, word(5), "0x" + hex.EncodeToString(word(5)),
			`{"hex":"` + hex.EncodeToString(word(5)) + `"}`},
		{[]mapi.ResultField{{Name: "all", Kind: "uint64", Unit: "packets"}, list("", number, count)}, word(5, 0, 5),
			"all 5 packets, hosts\n    NUMBER  SEEN PACKETS\n    1       5", `{"all":5,"hosts":[{"number":1,"seen_packets":5}]}`},
		{[]mapi.ResultField{state}, []byte{0xfe, 0xff, 0xff, 0xff}, "lost", `{"state":"lost","number":-2}`},
		{[]mapi.ResultField{state}, []byte{0xff, 0xff, 0xff, 0xff}, "0xffffffff", `{"hex":"ffffffff"}`},
		{[]mapi.ResultField{{Name: "least", Kind: "int64", Optional: true}, {Name: "at", Kind: "moment"}}, word(math.MaxUint64, 0),
			"least no value, at 1970-01-01T00:00:00.000000000Z", `{"at":"1970-01-01T00:00:00Z"}`},
		{[]mapi.ResultField{{Name: "value", Kind: "uint64", Unit: "packets"}}, word(7), "7 packets", `{"value":7,"unit":"packets"}`},
		{[]mapi.ResultField{{Name: "value", Kind: "uint64", Unit: "packets"}}, []byte{1, 2}, "0x0102", `{"hex":"0102"}`},
		{[]mapi.ResultField{{Name: "seconds", Kind: "span"}}, word(1<<64 - 1<<31), "-0.500000000 s", `{"seconds":-0.5}`},
		{[]mapi.ResultField{{Name: "value", Kind: "later"}}, word(1), "0x" + hex.EncodeToString(word(1)), `{"hex":"` + hex.EncodeToString(word(1)) + `"}`},
		{[]mapi.ResultField{{Name: "least", Kind: "int64", Unit: "bytes"}, {Kind: "uint64"}, {Name: "mean_size", Kind: "float64"}},
			word(1<<64-5, 9, math.Float64bits(0.5)), "least -5 bytes, mean size 0.5", `{"least":-5,"mean_size":0.5}`},
		{[]mapi.ResultField{{Name: "at", Kind: "time"}, {Name: "x", Kind: "float64"}},
			word(0, math.Float64bits(math.NaN())), "at none, x NaN", `{"at":null,"x":null}`},
	} {
		f := &applied{number: 1, name: "NEW", fields: c.fields}
		v := f.view(c.res)
		if b, err := json.Marshal(v); v.String() != c.text || string(b) != c.json || err != nil {
			t.Errorf("%v: %q, %s, %v", c.fields, v, b, err)
		}
	}
}

// TestForms writes results as texts of definitions.
func TestForms(t *testing.T) {
	parts := []part{{name: "a", number: "1", text: "1 [byte]"}, {name: "b_c", text: "two"}, {name: "gone", none: true}}
	for text, want := range map[string]string{
		"":                           "a 1 [byte], b c two, gone ",
		"{a} = {#a}, {b_c}":          "1 [byte] = 1, two",
		"[{b_c}|x][ and {gone}]":     "two",
		"{a}[ {gone}|{gone} is {]!":  "1 [byte]{gone} is {!",
		"[{nothing} {a}|nothing], {": "nothing, {",
	} {
		if got := (record{parts, parseForm(text)}).String(); got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}
