package main

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// fieldsOf returns the field names of an object, with "?" after those that may
// be omitted.
func fieldsOf(t reflect.Type) (fields []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			fields = append(fields, fieldsOf(f.Type)...)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if options == "omitempty" {
			name += "?"
		}
		fields = append(fields, name)
	}
	return fields
}

// TestDocumentedFields compares the objects with docs/json.md.
func TestDocumentedFields(t *testing.T) {
	text, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string][]string)
	heading := ""
	row := regexp.MustCompile("^\\| `(\\w+)` \\| ([^|]*) \\|")
	for line := range strings.Lines(string(text)) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			heading = strings.TrimSpace(strings.ReplaceAll(title, "`", ""))
		}
		if m := row.FindStringSubmatch(line); m != nil {
			name := m[1]
			if strings.Contains(m[2], "optional") {
				name += "?"
			}
			got[heading] = append(got[heading], name)
		}
	}
	want := make(map[string][]string)
	for heading, object := range map[string]any{
		"mapi dump": packetObject{}, "mapi count: each interval": line{}, "mapi count: the last line": total{},
		"mapi apply": resultObject{}, "mapi info devices": deviceObject{}, "mapi info libraries": libraryObject{},
		"mapi info users":     takenObject{},
		"mapi info functions": functionObject{}, "mapi info functions: args": argumentObject{}, "mapi info functions: fields": fieldObject{},
		"mapi info flows": flowObject{}, "mapi info flows: functions": appliedObject{},
		"mapi stats: kind is stage": stageObject{}, "mapi stats: kind is filter": filterObject{}, "mapi stats: kind is sum": sumObject{},
	} {
		want[heading] = fieldsOf(reflect.TypeOf(object))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-code +docs/json.md):\n%s", diff)
	}
}

// TestDocumentedResults compares the results of functions with docs/json.md.
func TestDocumentedResults(t *testing.T) {
	text, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string][]string)
	for _, m := range regexp.MustCompile("(?m)^\\| ([^`|]+) \\| (.*`.*) \\|$").FindAllStringSubmatch(string(text), -1) {
		for _, name := range regexp.MustCompile("[A-Z_]{3,}").FindAllString(m[1], -1) {
			for _, f := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(m[2], -1) {
				if !slices.Contains(got[name], f[1]) {
					got[name] = append(got[name], f[1])
				}
			}
		}
	}
	want := map[string][]string{
		"HASHSAMP": fieldsOf(reflect.TypeOf(sample{})), "STATS": fieldsOf(reflect.TypeOf(statistics{})),
		"TO_BUFFER": fieldsOf(reflect.TypeOf(buffered{})),
	}
	for _, d := range standard(t) {
		if len(d.Fields) > 0 {
			want[d.Name] = written(d.Fields)
		}
	}
	for name := range want {
		for i, field := range want[name] {
			want[name][i] = strings.TrimSuffix(field, "?")
		}
	}
	order := cmpopts.SortSlices(strings.Compare)
	if diff := cmp.Diff(want, got, order); diff != "" {
		t.Errorf("results (-code +docs/json.md):\n%s", diff)
	}
}

// written returns the names in JSON of a described result.
func written(fields []mapi.ResultField) (names []string) {
	for _, f := range fields {
		switch {
		case f.Name == "" || f.Hidden:
			continue
		case f.Words != nil:
			names = append(names, "number")
		case strings.Contains(f.Kind, "int"):
			names = append(names, "unit")
		}
		names = append(names, f.Name)
		if len(f.Rows) > 1 { // others are plain values
			for _, column := range f.Rows {
				names = append(names, column.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TestPacketObject has a tagged packet on a device, and one of no network.
func TestPacketObject(t *testing.T) {
	form := new(lineFlags).objects("eth0")
	frame := testnet.Tagged(testnet.UDP(1, frameSize), testnet.Tag{TPID: 0x8100, TCI: 3<<13 | 42})
	for _, c := range []struct {
		p    *mapi.Packet
		want string // a part
	}{
		{&mapi.Packet{TS: 1 << 32, LinkType: 1, Wlen: 1000, Data: frame},
			`"interface":"eth0","port":0,"link_type":1,"length":1000,"captured":204,"ethertype":2048,"vlans":[42],` +
				`"src":"10.0.0.1","dst":"10.0.0.2","proto":"udp","sport":`},
		{&mapi.Packet{TS: 1 << 32, LinkType: 1, Wlen: 14, Data: frame[:14]}, `"captured":14,"ethertype":33024,"summary":`},
		{&mapi.Packet{TS: 1 << 32, LinkType: 1}, `"length":0,"captured":0,"summary":" [|ether]"}`},
	} {
		got := string(form(nil, c.p))
		if !json.Valid([]byte(got)) || !strings.Contains(got, c.want) {
			t.Errorf("%s is not in %s", c.want, got)
		}
	}
}
